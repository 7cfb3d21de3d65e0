"""The rules once more, slowly and obviously: what the daemon's answers are compared with."""
