"""Certificates for tests, made by the openssl command: good, expired, of other names and authorities."""
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*arguments, check=True):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr}")
    return done.returncode == 0


class Authority:
    """Issues into one folder: NAME.pem (certificate), NAME.key, and NAME.both with both, as Kafka wants them."""

    def __init__(self, folder, name="ca"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.cert, self.key = folder, folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", *KEY, "-keyout", self.key, "-out", self.cert, "-subj", f"/CN={name}", "-days", 2)

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", expired=False):
        cert, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        openssl("req", *KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        sign = ("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                "-copy_extensions", "copy", "-out", cert)
        if not expired:
            openssl(*sign, "-days", 1)
        elif not openssl(*sign, "-days", -1, check=False):  # newer ones want dates instead
            openssl(*sign, "-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
        (self.folder / f"{name}.both").write_text(key.read_text() + cert.read_text())
        return cert
