/**
 * Takes the host away from the current thread, for good: files, network, processes, other threads and
 * the making of code from strings. Python in WebAssembly reaches the host only through JavaScript
 * (Pyodide's `js` module, `os.system`, WebSockets behind `socket`), so the sandbox is closed here, below
 * Python, and not only by hiding modules from it. Only for a worker thread that does nothing else.
 */
import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import inspector from 'node:inspector';
import nodeModule from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import vm from 'node:vm';
import workerThreads from 'node:worker_threads';

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow: (this: WasmMemory, pages: number) => number;
}

/** Part of the host, but not of Node's type definitions. */
declare const WebAssembly: { readonly Memory: { readonly prototype: WasmMemory } };

const bannedGlobals = [
  'fetch',
  'WebSocket',
  'XMLHttpRequest',
  'EventSource',
  'Request',
  'Response',
  'Headers',
  'FormData',
  'BroadcastChannel',
  'MessageChannel',
  'require',
  'module',
  'eval',
  'Function',
];

/**
 * Makes WebAssembly memories of this thread refuse to grow beyond `limitBytes`. Must run before the
 * interpreter is loaded; Python then sees a `MemoryError`.
 */
export function limitWasmMemory(limitBytes: number): void {
  const pageBytes = 65_536;
  const originalGrow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function grow(this: WasmMemory, pages: number): number {
    const wanted = this.buffer.byteLength + pages * pageBytes;
    if (wanted > limitBytes)
      throw new RangeError(`memory: expected at most ${limitBytes} bytes, got ${wanted}`);
    return originalGrow.call(this, pages);
  };
}

/** Closes the thread. Must run after the interpreter is loaded, which needs files itself. */
export function lockDownThread(): void {
  denyModules();
  replaceProcess();
  for (const name of bannedGlobals) Reflect.deleteProperty(globalThis, name);
  denyCodeFromStrings();
}

function refuse(): never {
  throw new Error('Denied: this thread has no access to its host.');
}

/** Replaces every function of an object, so that references to the object itself lose their power. */
function denyFunctions(owner: object): void {
  for (const name of Object.getOwnPropertyNames(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor === undefined || !descriptor.configurable || typeof descriptor.value !== 'function')
      continue;
    Object.defineProperty(owner, name, fixed(refuse));
  }
}

function fixed(value: unknown): PropertyDescriptor {
  return { value, writable: false, configurable: false };
}

function denyModules(): void {
  denyFunctions(net.Socket.prototype);
  denyFunctions(net.Server.prototype);
  for (const owner of [fs, fs.promises, net, tls, dgram, dns, dns.promises, http, http2, https])
    denyFunctions(owner);
  // What Emscripten's `system()` calls: an exit status instead of an exception, which would kill Python.
  Object.defineProperty(
    childProcess,
    'spawnSync',
    fixed(() => ({ status: 126, signal: null })),
  );
  const require = (name: string): unknown => (name === 'node:child_process' ? childProcess : refuse());
  Object.defineProperty(nodeModule.prototype, 'require', fixed(require));
  denyFunctions(nodeModule.prototype);
  for (const owner of [childProcess, cluster, inspector, vm, workerThreads]) denyFunctions(owner);
  // The interpreter imported some of these as ES modules, whose exports follow only when told.
  nodeModule.syncBuiltinESMExports();
  denyFunctions(nodeModule);
}

/** The few members that Emscripten's system calls read; everything else of `process` goes. */
function replaceProcess(): void {
  const remaining = Object.freeze({
    version: process.version,
    versions: Object.freeze({ node: process.versions.node }),
    platform: process.platform,
    getuid: () => 1000,
    umask: () => 0o022,
  });
  for (const name of [
    'binding',
    '_linkedBinding',
    'dlopen',
    'kill',
    'chdir',
    'abort',
    'exit',
    'reallyExit',
  ]) {
    Object.defineProperty(process, name, fixed(refuse));
  }
  Object.defineProperty(globalThis, 'process', fixed(remaining));
}

/** `f.constructor('…')` is `Function('…')` even when the global is gone: for all four kinds of functions. */
function denyCodeFromStrings(): void {
  const kinds = [
    function plain() {},
    async function later() {},
    function* many() {},
    async function* manyLater() {},
  ];
  for (const kind of kinds) {
    const prototype: unknown = Object.getPrototypeOf(kind);
    if (typeof prototype !== 'object' && typeof prototype !== 'function') continue;
    if (prototype === null) continue;
    Object.defineProperty(prototype, 'constructor', fixed(refuse));
  }
}
