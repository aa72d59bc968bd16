"""What the system tests stand on: real processes, started and ended by pid, waited for with deadlines."""
