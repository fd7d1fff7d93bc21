/** Starts a Node process that talks through a `Peer`, and makes sure that it ends. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Peer } from '#protocol/peer';
import type { Channel, Handlers, PeerTypes } from '#protocol/peer';

/** The process ended (or never started) while it was needed. */
export class ProcessEndedError extends Error {
  readonly code = 'processEnded';

  constructor(name: string, how: string, lastOutput: string) {
    super(
      `The ${name} process ended (${how}).${lastOutput === '' ? '' : `\nIts last output:\n${lastOutput}`}`,
    );
    this.name = 'ProcessEndedError';
  }
}

/** What to start. */
export interface ChildProcessOptions<Types extends PeerTypes> {
  /** For messages: `rollout`. */
  readonly name: string;
  /** The bundled entry file. */
  readonly entry: string;
  readonly handlers: Handlers<Types['serves']>;
  /** Every line the process writes to its standard streams. */
  readonly onOutput: (line: string) => void;
}

/** A running child process. */
export interface PeerProcess<Types extends PeerTypes> {
  readonly peer: Peer<Types>;
  readonly processId: number;
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Kills the process and waits until it is gone. */
  dispose(): Promise<void>;
}

/** Output kept for the message when the process dies. */
const keptOutputLength = 4000;

/** Milliseconds that the output of a dead process is waited for, in case somebody else holds it open. */
const outputGraceMs = 1000;

/** Starts the process. Its death rejects every pending request of the peer. */
export function startPeerProcess<Types extends PeerTypes>(
  options: ChildProcessOptions<Types>,
): PeerProcess<Types> {
  const child = fork(options.entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Inside a desktop VS Code `process.execPath` is Electron; this makes it run as plain Node.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
  let lastOutput = '';
  const collect = (chunk: Buffer): void => {
    const text = chunk.toString('utf8');
    lastOutput = (lastOutput + text).slice(-keptOutputLength);
    for (const line of text.split('\n')) if (line.trim() !== '') options.onOutput(line);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);

  const peer = new Peer<Types>(channelOf(child), options.handlers, AbortController);
  const ended = new Promise<void>((resolve) => {
    const close = (how: string): void => {
      peer.close(new ProcessEndedError(options.name, how, lastOutput.trim()));
      resolve();
    };
    child.on('error', (error) => close(error.message));
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      // What it wrote last can arrive after its exit, and says why it ended.
      child.once('close', () => close(how));
      setTimeout(() => close(how), outputGraceMs).unref();
    });
  });
  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { peer, processId: child.pid ?? -1, ended, dispose };
}

function channelOf(child: ChildProcess): Channel {
  return {
    send: (message) => {
      // A message to a process that just died is answered by its exit, not by an exception here.
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: (listener) => child.on('message', listener),
  };
}

/** The other side: the channel of a process that was started by `startPeerProcess`. */
export function parentChannel(): Channel {
  if (process.send === undefined)
    throw new Error('This file is a child process entry and was started directly.');
  // Without its parent the process has no purpose, and must not stay behind.
  process.once('disconnect', () => process.exit(0));
  return {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => process.on('message', listener),
  };
}
