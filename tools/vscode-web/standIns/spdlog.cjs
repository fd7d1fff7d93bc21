// In place of the native logger @vscode/spdlog, which is published without binaries. Without a logger
// VS Code's output channels stay empty. Same interface, synchronous writes, no rotation.
const { closeSync, mkdirSync, openSync, writeSync } = require('node:fs');
const path = require('node:path');

const levelNames = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
const [trace, debug, info, warning, error, critical] = levelNames.keys();

class Logger {
  constructor(_type, _name, file) {
    this.level = info;
    this.isRaw = false;
    mkdirSync(path.dirname(file), { recursive: true });
    this.descriptor = openSync(file, 'a');
  }

  write(level, message) {
    if (level < this.level || this.descriptor === undefined) return;
    writeSync(this.descriptor, this.isRaw ? message : `${localTime()} [${levelNames[level]}] ${message}\n`);
  }

  trace(message) {
    this.write(trace, message);
  }
  debug(message) {
    this.write(debug, message);
  }
  info(message) {
    this.write(info, message);
  }
  warn(message) {
    this.write(warning, message);
  }
  error(message) {
    this.write(error, message);
  }
  critical(message) {
    this.write(critical, message);
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  setPattern(pattern) {
    this.isRaw = pattern === '%v';
  }
  clearFormatters() {
    this.isRaw = true;
  }
  flush() {} // nothing is buffered
  drop() {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

function localTime() {
  const now = new Date();
  const shifted = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return shifted.toISOString().replace('T', ' ').replace('Z', '');
}

async function createRotatingLogger(name, file) {
  return new Logger('rotating', name, file);
}

exports.version = 0;
exports.Logger = Logger;
exports.createRotatingLogger = createRotatingLogger;
exports.createAsyncRotatingLogger = createRotatingLogger;
exports.setLevel = () => {}; // levels are set per logger
exports.setFlushOn = () => {};
