"""NUT's own TLS on Debian: a real upsd with a database of NSS, and the same for its upsmon."""

import subprocess

from lab.upsd import Upsd

PASSWORD = "database-password"


def database(directory, authority=None, cert=None):
    """With the CA that is trusted, and the certificate that is shown, of name "upsd"."""
    directory.mkdir()
    directory.chmod(0o755)
    word = directory / "password"
    word.write_text(PASSWORD + "\n")

    def run(*args):
        subprocess.run([*map(str, args)], check=True, capture_output=True)

    run("certutil", "-N", "-d", directory, "-f", word)
    if authority:
        run("certutil", "-A", "-d", directory, "-f", word, "-n", "CA", "-t", "CT,C,C", "-i",
            authority.path)
    if cert:
        run("pk12util", "-i", cert.pkcs12(directory / "cert.p12", "upsd"), "-d", directory, "-k",
            word, "-W", "pw")
    # the unprivileged half of NUT's upsmon opens it
    for file in directory.iterdir():
        file.chmod(0o644)
    return directory


class TlsUpsd(Upsd):
    """upsd with TLS of this certificate."""

    def __init__(self, directory, authority, cert, **options):
        self.database = database(directory.parent / f"{directory.name}-nss", authority, cert)
        super().__init__(directory, **options)

    def _write_upsd_conf(self, max_age=15):
        super()._write_upsd_conf(max_age)
        with (self.dir / "etc" / "upsd.conf").open("a") as conf:
            conf.write(f'CERTPATH {self.database}\nCERTIDENT "upsd" "{PASSWORD}"\n'
                       "DISABLE_WEAK_SSL true\n")
