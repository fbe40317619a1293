#!/usr/bin/python3
"""Makes freebsd/, netbsd/ and solaris/ after their documented formats; see README.md."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
PID = 4999999  # nobody's: Linux stops at 4194304, the others before that


def write(path, data):
    path = os.path.join(HERE, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def freebsd(case, name, start="1700000000,123456", channel="select", jail="-"):
    # bytes that are not visible are written in octal, as a C char: with its sign
    name = b"".join(bytes([c]) if 33 <= c <= 126 and c != 0o134 else
                    b"\\%03o" % (c if c < 128 else c + 0xffffff00) for c in name)
    write(f"freebsd/{case}/status", name + (
        f" {PID} 321 {PID} {PID} -1,-1 sldr {start} 0,15625 0,31250 {channel} "
        f"66 1001 1001,66,66 {jail}\n").encode())


def netbsd(case, name, pid=PID, flags="noflags", start="1700000000,123456"):
    write(f"netbsd/{case}/status", name + (
        f" {pid} 321 {pid} {pid} -1,-1 {flags} {start} 0,15625 0,31250 select "
        "66 66,66\n").encode())


def netbsd_linux(case, name, state):
    """The stat that NetBSD has for Linux programs: 39 fields, the start in 1/100 s since 1970."""
    write(f"netbsd/{case}/stat", (
        f"{PID} ({name}) {state} 321 {PID} {PID} 0 0 16384 120 0 0 0 1 3 0 0 43 0 1 0 "
        "170000000012 4300800 1640 18446744073709551615 4194304 4259840 140187732541440 "
        "0 0 0 0 4096 16384 0 10 2 20 0\n").encode())


def psinfo(word, name, args, lwps=1, pid=PID):
    """psinfo_t: little-endian, `word` is the struct letter of long, size_t and pointers."""
    times = (1700000000, 123456789, 0, 15000000, 0, 0)
    head = struct.pack("<10i", 0, lwps, pid, 321, pid, pid, 1001, 66, 1001, 66)
    numbers = struct.pack(f"<5{word}2H", 0, 4096, 2048, 0, 2 ** 31 - 1, 10, 20)
    numbers += bytes(-(len(head) + len(numbers)) % struct.calcsize(word))
    numbers += struct.pack(f"<6{word}", *times)
    tail = struct.pack(f"<16s80s2i2{word}b3x7i", name, args, 0, 2, 0, 0,
                       2 if word == "q" else 1, 1, 3, 0, 0, 0, 77, 0)
    lwp = struct.pack(f"<2i2{word}4bh2b i2H", 0, 1 if lwps else 0, 0, 0, 1, 1, ord("S"), 20,
                      0, 0, 0, 59, 10, 0)
    lwp += bytes(-len(lwp) % struct.calcsize(word))
    lwp += struct.pack(f"<4{word}8s16s8i", *times[:4], b"TS", b"", 0, -1, -1, 0, 0, 0, 0, 0)
    whole = head + numbers + tail + lwp
    assert len(whole) == (416 if word == "q" else 336), len(whole)
    return whole


freebsd("upsmon", b"upsmon")
freebsd("spaces", b"ups mon")
freebsd("odd", b"a)\\(\n\tb")
freebsd("letters", "überwachung".encode("latin-1"))
freebsd("nineteen", b"a-name-of-nineteen-")
freebsd("swapped", b"upsmon", start="-1,-1")
freebsd("channel", b"upsmon", channel="-kse- ")
freebsd("jail", b"upsmon", jail="a 4999999 1 1 1 0,0")

netbsd("upsmon", b"upsmon")
netbsd("spaces", b"ups mon")
netbsd("newline", b"ups\nmon")
netbsd("forged", b"a 7 1 1 1 0,0", pid=7)
netbsd("sixteen", b"sixteen-letters-")
netbsd("linux", b"upsmon", flags="sldr")
netbsd_linux("linux", "upsmon", "S")
netbsd("zombie", b"upsmon", flags="sldr")
netbsd_linux("zombie", "upsmon", "Z")

for model, letter in (("32", "i"), ("64", "q")):
    write(f"solaris/{model}/psinfo", psinfo(letter, b"upsmon", b"/usr/sbin/upsmon -F"))
    write(f"solaris/{model}-spaces/psinfo", psinfo(letter, b"ups mon", b"./ups mon"))
    write(f"solaris/{model}-fifteen/psinfo", psinfo(letter, b"fifteen-letters",
                                                    b"fifteen-letters"))
    write(f"solaris/{model}-zombie/psinfo", psinfo(letter, b"upsmon", b"", lwps=0))
write("solaris/other-pid/psinfo", psinfo("q", b"upsmon", b"upsmon", pid=PID - 1))
write("solaris/short/psinfo", psinfo("q", b"upsmon", b"upsmon")[:200])
