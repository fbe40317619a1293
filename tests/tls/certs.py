"""A certificate authority of the tests' own, by the openssl command."""

import pathlib
import subprocess


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Authority:
    """Its certificate is path; cert() makes one of its own for a server or client."""

    def __init__(self, directory, name="nutlet test CA", issuer=None):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o755)
        self.path = self.dir / "ca.pem"
        self.key = self.dir / "ca.key"
        if issuer:
            made = issuer.cert(self.dir / "ca", name, ext="basicConstraints=critical,CA:TRUE")
            made.chain.rename(self.path)
            made.key.rename(self.key)
            self.above = self.path.read_text().split("-----END CERTIFICATE-----\n", 1)[1]
        else:
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out",
                    self.path, "-days", 3650, "-subj", f"/CN={name}")
            self.above = None

    def cert(self, path, name="localhost", san=None, ext="", key="rsa", dates=None):
        """A certificate of this authority and its key: Cert.

        san: such as "DNS:localhost,IP:127.0.0.1"; None: only the CN.  dates: the first and the
        last, such as "20200101000000Z"; None: a year from now.
        """
        return Cert(self, pathlib.Path(path), name, san, ext, key, dates)


class Cert:
    def __init__(self, authority, path, name, san, ext, kind, dates):
        self.key = path.with_suffix(".key")
        self.chain = path.with_suffix(".pem")
        request, extensions = path.with_suffix(".csr"), path.with_suffix(".ext")
        algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" \
            else ["-newkey", "rsa:2048"]
        openssl("req", *algorithm, "-nodes", "-keyout", self.key, "-out", request, "-subj",
                f"/CN={name}")
        extensions.write_text((f"subjectAltName={san}\n" if san else "") + ext + "\n")
        if dates:
            self._by_ca(authority, path, request, extensions, *dates)
        else:
            openssl("x509", "-req", "-in", request, "-CA", authority.path, "-CAkey", authority.key,
                    "-CAcreateserial", "-days", 365, "-extfile", extensions, "-out", self.chain)
        if authority.above is not None:
            # the intermediate's own, which a client does not have
            own = authority.path.read_text().split("-----END CERTIFICATE-----\n", 1)[0]
            with self.chain.open("a") as f:
                f.write(own + "-----END CERTIFICATE-----\n")

    @staticmethod
    def _by_ca(authority, path, request, extensions, start, end):
        """openssl x509 of Debian 12 knows no dates; openssl ca does."""
        folder = path.with_suffix(".d")
        folder.mkdir()
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        conf = folder / "conf"
        conf.write_text(f"[ca]\ndefault_ca=a\n[a]\ndir={folder}\ndatabase={folder}/index\n"
                        f"serial={folder}/serial\nnew_certs_dir={folder}\ndefault_md=sha256\n"
                        "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", conf, "-in", request, "-cert", authority.path,
                "-keyfile", authority.key, "-startdate", start, "-enddate", end, "-extfile",
                extensions, "-out", path.with_suffix(".pem"), "-notext")

    def pkcs12(self, path, name):
        openssl("pkcs12", "-export", "-in", self.chain, "-inkey", self.key, "-name", name,
                "-passout", "pass:pw", "-out", path)
        return path

    def bundle(self, path, password=None):
        """Certificate and key in one file, as CERTFILE has them."""
        key = self.key
        if password:
            key = pathlib.Path(f"{path}.key")
            # PKCS#8's newer ciphers are not in mbedTLS 2.28
            openssl("rsa", "-aes128", "-traditional", "-in", self.key, "-out", key, "-passout",
                    f"pass:{password}")
        path.write_text(self.chain.read_text() + key.read_text())
        path.chmod(0o600)
        return path
