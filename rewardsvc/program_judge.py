"""Judges a program by code that asserts things about it. Runs inside the sandbox, as two processes.

The judge has the tests and gives the verdict; the program lives in a worker. Between them go plain
values only, so that nothing the program can do makes an assertion true that is not: an object that
equals everything stays in the worker and equals nothing here, a patched `assert` or `len`, an early
exit, a search for the expected values all happen in the wrong process. The worker is forked before
the tests are read, and has neither their descriptor nor the one that takes the verdict.

  judge: {"program", "setup", "test", "entry"} as JSON on standard input; "pass", "fail why" or
  "error why" on standard output. setup is run in the worker, after the program; test here.
"""
import builtins, json, os, signal, sys, time, types


class Unable(BaseException):
    """Something about the tests that this judge cannot do: no fault of the program."""


class Ended(BaseException):
    """The program is gone, or answers what is no answer."""


class Late(Ended):
    """It used up its time."""


class ProgramError(Exception):
    """An exception of a class of the program's own."""


# ---- values that travel --------------------------------------------------------------------------

TAGS = {list: "l", tuple: "t", set: "S", frozenset: "F"}
CLASSES = {tag: t for t, tag in TAGS.items()}
PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict)


def library_class(module, name):
    """A class of a module that is there already: a value of it cannot exist before."""
    return getattr(sys.modules.get(module), name, None)


def plain(x):
    """x, or what is plain of it where its class is derived from a plain one, or is a number."""
    for t in PLAIN:
        if isinstance(x, t):
            return t(x)
    integral, real = library_class("numbers", "Integral"), library_class("numbers", "Real")
    if integral and isinstance(x, integral):
        return int(x)
    return float(x) if real and isinstance(x, real) else x


def encode(x, keep):
    """Plain values by value; for what is not, keep(x) gives its name."""
    t = type(x)
    if x is None or t is bool:
        return x
    if t is int:
        return ["i", format(x, "x")]
    if t is float:
        return ["f", x.hex()]
    if t is str:
        return ["s", x]
    if t in TAGS:
        return [TAGS[t], [encode(y, keep) for y in x]]
    if t is dict:
        return ["d", [[encode(k, keep), encode(v, keep)] for k, v in x.items()]]
    if t is bytes or t is bytearray:
        return ["b" if t is bytes else "a", x.hex()]
    if t is complex:
        return ["c", x.real.hex(), x.imag.hex()]
    if t is range:
        return ["r", [format(y, "x") for y in (x.start, x.stop, x.step)]]
    if t is library_class("fractions", "Fraction"):
        return ["q", format(x.numerator, "x"), format(x.denominator, "x")]
    if t is library_class("decimal", "Decimal"):
        return ["D", str(x)]
    if t is types.ModuleType:
        return ["m", x.__name__]
    y = plain(x)
    return encode(y, keep) if type(y) is not t else keep(x)


def decode(y, find):
    """find(tag, id): what an object that is kept on either side is here."""
    if y is None or type(y) is bool:
        return y
    tag, v = y[0], y[1]
    if tag == "i":
        return int(v, 16)
    if tag == "f":
        return float.fromhex(v)
    if tag == "s":
        return str(v)
    if tag in CLASSES:
        return CLASSES[tag]([decode(x, find) for x in v])
    if tag == "d":
        return {decode(k, find): decode(x, find) for k, x in v}
    if tag == "b":
        return bytes.fromhex(v)
    if tag == "a":
        return bytearray.fromhex(v)
    if tag == "c":
        return complex(float.fromhex(v), float.fromhex(y[2]))
    if tag == "r":
        return range(*[int(x, 16) for x in v])
    if tag == "q":
        import fractions
        return fractions.Fraction(int(v, 16), int(y[2], 16))
    if tag == "D":
        import decimal
        return decimal.Decimal(v)
    return find(tag, v)


def send(out, message):
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def exception(reply):
    """The exception of a reply: of a built-in class, or ProgramError."""
    name, text = str(reply[1]), str(reply[2])
    t = getattr(builtins, name, None)
    if isinstance(t, type) and issubclass(t, Exception) and not issubclass(t, UnicodeError):
        return t(text)
    return ProgramError(name + ": " + text)


# ---- the worker: where the program lives ---------------------------------------------------------


def worker():
    inp, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    module = types.ModuleType("program")
    sys.modules["program"] = module
    world, kept, numbers = module.__dict__, [], {}

    def keep(x):
        number = numbers.setdefault(id(x), len(kept))
        if number == len(kept):
            kept.append(x)  # which also keeps its id its own
        return ["o", number]

    def call_back(number):
        def stub(*a, **k):
            send(out, ["back", number, [encode(x, keep) for x in a],
                       {n: encode(x, keep) for n, x in k.items()}])
            reply = serve()
            if reply[0] == "ok":
                return decode(reply[1], find)
            raise exception(reply)

        return stub

    def find(tag, v):
        return kept[v] if tag == "o" else call_back(v)

    def load(program, setup):
        exec(compile(program, "program", "exec"), world)
        exec(compile(setup, "setup", "exec"), world)
        return [n for n in world if not n.startswith("__")]

    def call(f, a, k):
        f, a = decode(f, find), [decode(x, find) for x in a]
        result = f(*a, **{n: decode(x, find) for n, x in k.items()})
        mutable = (list, dict, set, bytearray)
        return [encode(result, keep), [encode(x, keep) if type(x) in mutable else None for x in a]]

    def on(action):
        return lambda *a: encode(action(*[decode(x, find) for x in a]), keep)

    actions = {
        "load": load,
        "call": call,
        "global": lambda name: encode(world[name], keep),
        "get": on(getattr),
        "set": on(setattr),
        "item": on(lambda o, k: o[k]),
        "put": on(lambda o, k, v: o.__setitem__(k, v)),
        "list": on(list),
        "next": on(next),
        "len": on(len),
        "bool": on(bool),
        "str": on(str),
        "repr": on(repr),
    }

    def serve():
        """Answers, until a reply to a question of our own comes."""
        while True:
            message = json.loads(inp.readline())
            if message[0] in ("ok", "raise"):
                return message
            try:
                reply = ["ok", actions[message[0]](*message[1:])]
            except BaseException as e:
                reply = ["raise", type(e).__name__, str(e)[:200]]
            send(out, reply)

    serve()


# ---- the judge: where the tests live -------------------------------------------------------------


class Program:
    """The worker, as a partner of a conversation."""

    def __init__(self):
        inp, out = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(inp[0], 0)
                os.dup2(out[1], 1)
                os.dup2(os.open(os.devnull, os.O_RDWR), 2)
                os.closerange(3, 256)
                worker()
            finally:
                os._exit(1)
        os.close(inp[0])
        os.close(out[1])
        self.to, self.come = os.fdopen(inp[1], "wb"), os.fdopen(out[0], "rb")
        self.ended = False
        self.callbacks = []

    def end(self):
        self.ended = True
        for _ in range(20):
            pid, status = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
            if pid:
                self.pid = 0
                if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
                    raise Late()
                break
            time.sleep(0.005)
        raise Ended("the program ended, or wrote what is no answer")

    def keep(self, x):
        if type(x) is Remote:
            return ["o", x._number]
        if not callable(x):
            raise Unable("the tests hand over a " + type(x).__name__)
        self.callbacks.append(x)
        return ["k", len(self.callbacks) - 1]

    def find(self, tag, v):
        if tag == "o":
            return Remote(self, int(v))
        if tag == "m" and v in sys.stdlib_module_names:
            return __import__(v)
        raise ValueError(tag)

    def encode(self, x):
        return encode(x, self.keep)

    def decode(self, y):
        try:
            return decode(y, self.find)
        except BaseException:
            self.end()

    def ask(self, *message):
        try:
            send(self.to, message)
            reply = json.loads(self.come.readline())
            while reply[0] == "back":
                self.answer(*reply[1:])
                reply = json.loads(self.come.readline())
            if reply[0] == "ok":
                return reply[1]
            error = exception(reply)
        except (Unable, Ended):
            raise
        except BaseException:
            self.end()
        raise error

    def answer(self, number, a, k):
        """The program calls a function that the tests gave it."""
        try:
            f, k = self.callbacks[number], {n: self.decode(x) for n, x in k.items()}
            result = ["ok", self.encode(f(*[self.decode(x) for x in a], **k))]
        except Exception as e:
            result = ["raise", type(e).__name__, str(e)[:200]]
        send(self.to, result)

    def get(self, what, *a):
        return self.decode(self.ask(what, *[self.encode(x) for x in a]))

    def call(self, f, a, k):
        reply = self.ask("call", self.encode(f), [self.encode(x) for x in a],
                         {n: self.encode(x) for n, x in k.items()})
        if type(reply) is not list or len(reply) != 2 or type(reply[1]) is not list:
            self.end()
        for x, y in zip(a, reply[1]):  # what a function does to its arguments can be seen
            if y is not None:
                refresh(x, self.decode(y))
        return self.decode(reply[0])


def refresh(x, y):
    if type(x) is not type(y) or x == y:
        return
    if type(x) in (list, bytearray):
        x[:] = y
    elif type(x) in (dict, set):
        x.clear()
        x.update(y)


class Remote:
    """An object of the program that is no plain value: it can be called, looked into and handed
    back. It equals itself and nothing else, and has no order and no arithmetic: those would be the
    program's word on what the tests ask."""

    def __init__(self, program, number):
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_number", number)

    def __call__(self, *a, **k):
        return self._program.call(self, a, k)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._program.get("get", self, name)

    def __setattr__(self, name, value):
        self._program.get("set", self, name, value)

    def __getitem__(self, key):
        return self._program.get("item", self, key)

    def __setitem__(self, key, value):
        self._program.get("put", self, key, value)

    def _all(self):
        items = self._program.get("list", self)
        if type(items) is not list:
            self._program.end()
        return items

    def __iter__(self):
        return iter(self._all())

    def __contains__(self, x):
        return x in self._all()

    def __next__(self):
        return self._program.get("next", self)

    def __len__(self):
        return self._program.get("len", self)

    def __bool__(self):
        return self._program.get("bool", self) is True

    def __str__(self):
        return self._program.get("str", self)

    def __repr__(self):
        return self._program.get("repr", self)

    def __eq__(self, other):
        return type(other) is Remote and self._number == other._number

    def __hash__(self):
        return hash(self._number)


def names_of(code):
    names = set(code.co_names)
    for c in code.co_consts:
        if type(c) is types.CodeType:
            names |= names_of(c)
    return names


def run(program, job):
    try:
        code = compile(job["test"], "test", "exec")
    except (SyntaxError, ValueError) as e:
        raise Unable("the tests do not compile: " + str(e))
    entry, world = job["entry"], {"__name__": "test"}
    defined = program.ask("load", job["program"], job["setup"])
    wanted = names_of(code) | {entry}
    for name in [str(n) for n in defined]:
        # what is built in stays so, whatever the program calls its own
        if name in wanted and (name == entry or not hasattr(builtins, name)):
            world[name] = program.decode(program.ask("global", name))
    if entry and entry not in world:
        raise NameError("there is no " + entry)
    function = world.get(entry)
    exec(code, world)
    if entry and callable(world.get("check")):
        world["check"](function)
    if program.ended:  # however the tests took it
        raise Ended("the program ended")


def judge():
    program = Program()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.buffer.read())
    verdict, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    text = "pass"
    try:
        run(program, job)
    except Unable as e:
        text = "error " + str(e)
    except BaseException as e:
        text = "fail " + type(e).__name__ + ": " + str(e)[:150]
    os.write(verdict, text.encode("ascii", "backslashreplace") + b"\n")
    os._exit(0)


judge()
