/**
 * The Python half of the sandbox: defines `run_program(code, limit)` and leaves nothing else behind.
 *
 * - The last bare expression that is not `print(...)` is printed, as ARPO's tool does (`_preprocess_code`).
 * - Every program gets a fresh `__main__`, a fresh context (decimal precision, …) and fresh output.
 * - After every program what ordinary code can change is put back: builtins, module globals, classes of
 *   the usual modules, `sys.modules`, `sys.path`, the environment, the recursion limit, the random state
 *   (always seeded with 0, so that a program prints the same in every run), files it wrote.
 * - Modules that reach JavaScript cannot be imported, and the recursion limit stops at 5,000.
 *
 * Returns JSON: `[isError, stdout, stderr]`.
 */
export const sandboxProgram = String.raw`
def _make_sandbox():
    import ast, asyncio, builtins, contextvars, gc, io, json, os, shutil, socket, sys, time, traceback, types, warnings
    import bisect, cmath, collections, copy, datetime, decimal, fractions, functools, heapq, itertools
    import math, operator, random, re, statistics, string, textwrap

    usual = [bisect, collections, copy, datetime, decimal, fractions, functools, heapq, json, json.encoder,
             json.decoder, os, random, re, statistics, string, textwrap, types, io]
    blocked = {'js', 'pyodide_js', 'pyodide', '_pyodide', '_pyodide_core', 'micropip', 'ctypes', '_ctypes'}

    class BlockedModules:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition('.')[0] in blocked:
                raise ImportError(f"the module '{name}' is not available in this sandbox", name=name)

    for name, original in (('run', '_orig_run'), ('sleep', '_orig_sleep')):
        setattr(asyncio if name == 'run' else time, name, getattr(sys.modules['pyodide.webloop'], original))
    for finder in sys.meta_path:
        getattr(finder, 'jsproxies', {}).clear()
    for name in list(sys.modules):
        if name.partition('.')[0] in blocked:
            del sys.modules[name]
    sys.meta_path[:] = [BlockedModules] + [finder for finder in sys.meta_path
                                           if type(finder).__module__ != '_pyodide._importhook'
                                           and getattr(finder, '__module__', '') != '_pyodide._importhook']

    def denied(what):
        def refuse(*args, **kwargs):
            raise PermissionError(f'{what} is denied in this sandbox')
        return refuse

    for name in ('connect', 'connect_ex', 'bind', 'listen', 'sendto'):
        setattr(socket.socket, name, denied('network access'))
    for name in ('getaddrinfo', 'gethostbyname', 'create_connection', 'create_server'):
        setattr(socket, name, denied('network access'))
    import posix
    posix.system = os.system = os.popen = denied('starting programs')

    # Pyodide's event loop lives in JavaScript and would run callbacks after the program has ended.
    class NoFiles:
        def select(self, timeout):
            if timeout is None:
                raise RuntimeError('the event loop waits for something that cannot happen')
            time.sleep(timeout)
            return []
        def get_map(self):
            return {}
        def close(self):
            pass

    class Loop(asyncio.BaseEventLoop):
        def __init__(self):
            super().__init__()
            self._selector = NoFiles()
        def _process_events(self, events):
            pass
        def _write_to_self(self):
            pass

    class LoopPolicy(asyncio.events._BaseDefaultEventLoopPolicy):
        _loop_factory = Loop

    asyncio._set_running_loop(None)
    asyncio.events._set_event_loop_policy(LoopPolicy())

    class Capture(io.TextIOBase):
        encoding = 'utf-8'
        errors = 'replace'
        def __init__(self, limit):
            self.parts, self.kept, self.total, self.limit = [], 0, 0, limit
        def writable(self):
            return True
        def write(self, text):
            if not isinstance(text, str):
                raise TypeError(f'write() argument must be str, not {type(text).__name__}')
            self.total += len(text)
            if self.kept < self.limit:
                part = str.__str__(text)[:self.limit - self.kept]
                self.parts.append(part)
                self.kept += len(part)
            return len(text)
        @property
        def buffer(self):
            capture = self
            class Bytes(io.RawIOBase):
                def writable(self):
                    return True
                def write(self, data):
                    capture.write(bytes(data).decode('utf-8', 'replace'))
                    return len(data)
            return Bytes()
        def text(self):
            kept = ''.join(self.parts)
            if self.total <= self.limit:
                return kept
            return f'{kept}\n... [output cut: {self.limit} of {self.total} characters are shown]'

    # A higher limit would overflow the thread's own stack instead of raising a RecursionError.
    set_limit, highest_limit = sys.setrecursionlimit, 5000
    sys.setrecursionlimit = lambda limit: set_limit(min(limit, highest_limit))

    home = os.getcwd()
    folders = (home, '/tmp')
    recursion_limit = sys.getrecursionlimit()
    warning_filters = list(warnings.filters)
    lists = [(values, list(values)) for values in (sys.path, sys.meta_path, sys.path_hooks, sys.argv)]
    environment = dict(os.environ)

    def identities(namespace):
        return tuple(namespace), tuple(map(id, namespace.values()))

    def restore_class(one, saved):
        for name in list(one.__dict__):
            if name not in saved:
                delattr(one, name)
        for name, value in saved.items():
            if one.__dict__.get(name) is not value:
                setattr(one, name, value)

    modules, classes, module_table = [], [], {}

    def take_baseline():
        random.seed(0)
        module_table.update(sys.modules)
        for module in module_table.values():
            namespace = getattr(module, '__dict__', None)
            if namespace is not None and module.__name__ != '__main__':
                top = module.__name__.partition('.')[0]
                modules.append((top, namespace, dict(namespace), identities(namespace)))
        seen = {Capture}
        for module in usual:
            for value in list(vars(module).values()):
                if isinstance(value, type) and value not in seen and value.__flags__ & (1 << 9):
                    seen.add(value)
                    top = module.__name__.partition('.')[0]
                    classes.append((top, value, dict(value.__dict__), identities(value.__dict__)))

    # Ordinary code names what it changes, so only the modules whose names it contains are compared.
    def restore_namespaces(code):
        for name, namespace, saved, known in modules:
            if (name in code or name == 'builtins' or name == 'sys') and identities(namespace) != known:
                namespace.clear()
                namespace.update(saved)
        for name, one, saved, known in classes:
            if name in code and identities(one.__dict__) != known:
                restore_class(one, saved)

    def restore_everything(code):
        restore_namespaces(code)
        for name in list(sys.modules):
            if name not in module_table:
                del sys.modules[name]
        sys.modules.update(module_table)
        for values, saved in lists:
            values[:] = saved
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        warnings.filters[:] = warning_filters
        random.seed(0)

    def empty_folders():
        os.chdir(home)
        for folder in folders:
            for entry in os.listdir(folder):
                path = os.path.join(folder, entry)
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.unlink(path)

    def restore_builtins():
        namespace, saved, known = builtin_state[0]
        if identities(namespace) != known:
            namespace.clear()
            namespace.update(saved)

    def restore(code):
        # A program without these words has no ordinary way to touch a module or a file.
        restore_builtins()
        if 'import' in code or 'open' in code:
            sys.settrace(None)
            sys.setprofile(None)
            restore_everything(code)
            set_limit(recursion_limit)
            gc.enable()
            empty_folders()
        elif len(sys.modules) != len(module_table):
            restore_everything(code)

    def with_printed_result(code):
        tree = ast.parse(code, '<string>')
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            value = last.value
            is_print = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == 'print'
            if not is_print:
                call = ast.Call(ast.Name('print', ast.Load()), [value], [])
                tree.body[-1] = ast.fix_missing_locations(ast.copy_location(ast.Expr(ast.copy_location(call, value)), last))
        return compile(tree, '<string>', 'exec')

    def describe(error, skipped):
        try:
            trace = error.__traceback__
            for _ in range(skipped):
                trace = trace and trace.tb_next
            return ''.join(traceback.format_exception(type(error), error, trace))
        except BaseException as second:
            return f'{type(error).__name__} (and {type(second).__name__} while it was described)\n'

    def execute(code, error_output):
        try:
            compiled = with_printed_result(code)
        except BaseException as error:
            error_output.write(''.join(traceback.format_exception_only(type(error), error)))
            return True
        main = types.ModuleType('__main__')
        main.__dict__['__builtins__'] = builtins
        sys.modules['__main__'] = main
        try:
            contextvars.Context().run(exec, compiled, main.__dict__)
            return False
        except SystemExit as stop:
            if stop.code is None or stop.code == 0:
                return False
            error_output.write(f'{stop.code}\n' if isinstance(stop.code, str) else f'SystemExit: {stop.code}\n')
            return True
        except BaseException as error:
            error_output.write(describe(error, 1))
            return True

    encode = json.dumps

    def run_program(code, limit):
        output, error_output = Capture(limit), Capture(limit)
        sys.stdout, sys.stderr = output, error_output
        try:
            is_error = execute(code, error_output)
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            sys.modules['__main__'] = module_table['__main__']
            restore(code)
        return encode([is_error, output.text(), error_output.text()])

    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    take_baseline()
    builtin_state = [entry[1:] for entry in modules if entry[0] == 'builtins']
    return run_program

_make_sandbox()
`;
