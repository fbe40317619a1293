"""Stand-in for uci: /etc/config, read and written as its documentation says."""

import re


class Bad(Exception):
    """What uci would refuse."""


def _words(text):
    """The lines of a file, each a list of its words: with quotes, which may hold line breaks, and
    comments."""
    line, word, i = [], None, 0
    while i < len(text):
        c = text[i]
        if c == "'":
            end = text.find("'", i + 1)
            if end < 0:
                raise Bad("unterminated '")
            word = (word or "") + text[i + 1:end]
            i = end
        elif c == '"':
            word = word or ""
            i += 1
            while i < len(text) and text[i] != '"':
                if text[i] == "\\":
                    i += 1
                word += text[i:i + 1]
                i += 1
            if i >= len(text):
                raise Bad('unterminated "')
        elif c == "\\":
            i += 1
            word = (word or "") + text[i:i + 1]
        elif c == "#" and word is None:
            i = text.find("\n", i)
            if i < 0:
                break
            continue
        elif c in " \t\n;":
            if word is not None:
                line.append(word)
                word = None
            if c in "\n;":
                if line:
                    yield line
                line = []
        else:
            word = (word or "") + c
        i += 1
    if word is not None:
        line.append(word)
    if line:
        yield line


def quoted(value):
    return "'" + value.replace("'", "'\\''") + "'"


class Section:
    def __init__(self, kind, name, anonymous):
        self.kind, self.name, self.anonymous = kind, name, anonymous
        self.options = {}  # a str, or a list of them


class Package:
    def __init__(self, text=""):
        self.sections = []
        for line in _words(text):
            self._read(line)

    def _read(self, line):
        if line[0] == "package":
            return
        if line[0] == "config" and len(line) in (2, 3):
            self.add(line[1], line[2] if len(line) > 2 else None)
        elif line[0] in ("option", "list") and len(line) == 3 and self.sections:
            if not re.fullmatch(r"\w+", line[1]):
                raise Bad(f"no name: {line[1]}")
            options = self.sections[-1].options
            # an option without a value is none
            if line[0] == "option" and line[2]:
                options[line[1]] = line[2]
            elif line[0] == "option":
                options.pop(line[1], None)
            else:
                options.setdefault(line[1], []).append(line[2])
        else:
            raise Bad(f"invalid line: {line}")

    def add(self, kind, name=None):
        section = Section(kind, name, name is None)
        if name is None:
            section.name = f"cfg{len(self.sections) + 1:02x}{hash(kind) & 0xffff:04x}"
        elif not re.fullmatch(r"\w+", name):
            raise Bad(f"no name: {name}")
        self.sections.append(section)
        return section

    def find(self, name):
        """By its name, or as @type[index]."""
        match = re.fullmatch(r"@(\w+)\[(-?\d+)\]", name)
        if match:
            of_kind = [s for s in self.sections if s.kind == match[1]]
            index = int(match[2])
            return of_kind[index] if -len(of_kind) <= index < len(of_kind) else None
        return next((s for s in self.sections if s.name == name), None)

    def text(self, names=False):
        lines = []
        for s in self.sections:
            name = "" if s.anonymous and not names else " " + quoted(s.name)
            lines.append(f"\nconfig {s.kind}{name}")
            for option, value in s.options.items():
                if isinstance(value, str):
                    lines.append(f"\toption {option} {quoted(value)}")
                else:
                    lines += [f"\tlist {option} {quoted(item)}" for item in value]
        return "\n".join(lines) + "\n"


class Uci:
    """Changes wait in memory until they are committed."""

    def __init__(self, directory):
        self.dir = directory
        self.pending = {}

    def load(self, name):
        if name in self.pending:
            return self.pending[name]
        return Package((self.dir / name).read_text())

    def run(self, args):
        """As the command; returns the exit code and the output."""
        quiet = "-q" in args
        args = [a for a in args if a not in ("-q", "-n", "-S")]
        try:
            return 0, getattr(self, "do_" + args[0])(*args[1:]) or ""
        except (Bad, OSError, AttributeError, TypeError, KeyError) as error:
            return 1, "" if quiet else f"uci: {error}\n"

    def _place(self, where):
        """package.section[.option] for a change"""
        package, section, *option = where.split(".", 2)
        self.pending[package] = self.load(package)
        return self.pending[package], section, option[0] if option else None

    def do_export(self, package):
        return f"package {package}\n" + self.load(package).text(names=True)

    def do_get(self, where):
        package, section, *option = where.split(".", 2)
        found = self.load(package).find(section)
        if not found:
            raise Bad("Entry not found")
        value = found.options[option[0]] if option else found.kind
        return (value if isinstance(value, str) else " ".join(value)) + "\n"

    def do_set(self, assignment):
        where, value = assignment.split("=", 1)
        package, section, option = self._place(where)
        found = package.find(section)
        if option:
            if not found:
                raise Bad("Invalid argument")
            found.options[option] = value
            if not value:
                del found.options[option]
        elif found:
            # this gives one without a name the name that it has inside
            found.kind, found.anonymous = value, False
        else:
            package.add(value, section)

    def do_add_list(self, assignment):
        where, value = assignment.split("=", 1)
        package, section, option = self._place(where)
        package.find(section).options.setdefault(option, []).append(value)

    def do_add(self, name, kind):
        package, _, _ = self._place(f"{name}.x")
        return package.add(kind).name + "\n"

    def do_delete(self, where):
        package, section, option = self._place(where)
        found = package.find(section)
        if not found:
            raise Bad("Entry not found")
        if option:
            del found.options[option]
        else:
            package.sections.remove(found)

    def do_rename(self, assignment):
        where, value = assignment.split("=", 1)
        package, section, _ = self._place(where)
        found = package.find(section)
        found.name, found.anonymous = value, False

    def do_changes(self, name):
        if name not in self.pending:
            return ""
        before = Package((self.dir / name).read_text()).text()
        return "" if self.pending[name].text() == before else f"{name}: changed\n"

    def do_revert(self, name):
        self.pending.pop(name, None)

    def do_commit(self, name):
        if name in self.pending:
            (self.dir / name).write_text(self.pending.pop(name).text())
