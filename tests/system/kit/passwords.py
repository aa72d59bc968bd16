"""Password hashes as the system's libcrypt makes them; Python's own module for it ended with 3.12."""
import ctypes
import secrets
import string

_libcrypt = ctypes.CDLL("libcrypt.so.1")
_libcrypt.crypt.restype = ctypes.c_char_p


def bcrypt(password):
    """Cost 4, the smallest: how long bcrypt takes is not what is tested."""
    # 22 characters are 128 bits and a rest; "." ends every rest well.
    salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(21)) + "."
    return _libcrypt.crypt(password.encode(), f"$2b$04${salt}".encode()).decode()
