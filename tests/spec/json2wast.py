#!/usr/bin/env python3
"""json2wast.py FILE.json: the script that wabt's wast2json made, as a script again: the modules are wabt's binaries, so that what runs is what another
tool has read from the suite's text. Text that must be malformed is left to the suite itself."""
import json
import os
import sys

folder = os.path.dirname(sys.argv[1])


def string(data):
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b not in (0x22, 0x5C) else f"\\{b:02x}" for b in data) + '"'


def text(words):
    return string(words.encode("utf-8", "surrogateescape"))


def binary(command):
    with open(os.path.join(folder, command["filename"]), "rb") as f:
        return string(f.read())


def module(command):
    return f"(module {command.get('name', '')} binary {binary(command)})"


def number(kind, value):
    if value.startswith("nan:"):
        return value
    bits = int(value)
    if kind in ("i8", "i16", "i32", "i64"):
        return str(bits)
    width, mantissa = (32, 23) if kind == "f32" else (64, 52)
    sign = "-" if bits >> (width - 1) else ""
    exponent = bits >> mantissa & ((1 << (width - 1 - mantissa)) - 1)
    fraction = bits & ((1 << mantissa) - 1)
    if exponent == (1 << (width - 1 - mantissa)) - 1:
        return f"{sign}nan:0x{fraction:x}" if fraction else f"{sign}inf"
    bias = (1 << (width - 2 - mantissa)) - 1
    if exponent:
        return f"{sign}0x1.{fraction << (-mantissa % 4):0{(mantissa + 3) // 4}x}p{exponent - bias}"
    return f"{sign}0x0.{fraction << (-mantissa % 4):0{(mantissa + 3) // 4}x}p{1 - bias}"


SHAPES = {"i8": "i8x16", "i16": "i16x8", "i32": "i32x4", "i64": "i64x2", "f32": "f32x4", "f64": "f64x2"}


def value(v):
    kind = v["type"]
    if kind == "v128":
        lanes = " ".join(number(v["lane_type"], lane) for lane in v["value"])
        return f"(v128.const {SHAPES[v['lane_type']]} {lanes})"
    if kind in SHAPES:
        return f"({kind}.const {number(kind, v['value'])})"
    hierarchy = {"externref": "extern", "funcref": "func", "exnref": "exn"}[kind]
    if v.get("value") in (None, "null"):
        return f"(ref.null {hierarchy})" if v.get("value") else f"(ref.{hierarchy})"
    return f"(ref.{hierarchy} {v['value']})"


def action(a):
    inner = " ".join(value(v) for v in a.get("args", []))
    return f"({a['type']} {a.get('module', '')} {text(a['field'])} {inner})"


def expected(c):
    if "either" in c:
        return f"(either {' '.join(value(v) for v in c['either'])})"
    return " ".join(value(v) for v in c["expected"])


def line(c):
    kind = c["type"]
    if kind == "module":
        return module(c)
    if kind == "register":
        return f"(register {text(c['as'])} {c.get('name', '')})"
    if kind == "action":
        return action(c["action"])
    if kind == "assert_return":
        return f"(assert_return {action(c['action'])} {expected(c)})"
    if kind == "assert_exception":
        return f"(assert_exception {action(c['action'])})"
    if kind in ("assert_trap", "assert_exhaustion"):
        return f"({kind} {action(c['action'])} {text(c['text'])})"
    if kind == "assert_uninstantiable":
        return f"(assert_trap {module(c)} {text(c['text'])})"
    if kind in ("assert_malformed", "assert_invalid", "assert_unlinkable"):
        return f"({kind} {module(c)} {text(c['text'])})" if c["module_type"] == "binary" else ""
    raise SystemExit(f"line {c['line']}: an unknown command: {kind}")


with open(sys.argv[1], encoding="utf-8", errors="surrogateescape") as f:
    for command in json.load(f)["commands"]:
        print(line(command))
