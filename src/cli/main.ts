/** The command line: `arpo train`, `arpo cold-start`, … */
import { join } from 'node:path';
import { formatHelp, parseOptions, UsageError } from '#cli/arguments';
import type { OptionDescription, ParsedOptions } from '#cli/arguments';
import { coldStartOptions, runColdStart } from '#cli/coldStartCommand';
import { experimentOptions, runExperiment } from '#cli/experimentCommand';
import { runTrain, trainOptions } from '#cli/trainCommand';
import type { ProgramPlaces } from '#cli/trainCommand';
import { RemoteError } from '#protocol/peer';

interface Command {
  readonly summary: string;
  readonly options: readonly OptionDescription[];
  run(options: ParsedOptions, places: ProgramPlaces): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  train: {
    summary: 'Trains a policy with ARPO and records every branch decision.',
    options: trainOptions,
    run: runTrain,
  },
  'cold-start': {
    summary: 'Trains the built-in policy on demonstrations; refuses a checkpoint that fails the gate.',
    options: coldStartOptions,
    run: runColdStart,
  },
  experiment: {
    summary: 'Compares branching rules with GRPO and random branching over seeds.',
    options: experimentOptions,
    run: runExperiment,
  },
};

async function main(argumentList: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argumentList;
  if (name === '--help') {
    process.stdout.write(`${formatCommands()}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    throw new UsageError(`Expected a command (${Object.keys(commands).join(', ')}), got "${name}".`);
  }
  const options = parseOptions(rest, command.options);
  if (options.has('help')) {
    process.stdout.write(`${formatHelp(name, command.summary, command.options)}\n`);
    return 0;
  }
  return await command.run(options, {
    programFolder: __dirname,
    builtinFolder: join(__dirname, '..', 'media', 'policies'),
    // npm runs scripts in the package's folder; this is where the person stands.
    workingFolder: process.env['INIT_CWD'] ?? process.cwd(),
  });
}

function formatCommands(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return ['Commands:', ...rows, '', 'Each has --help.'].join('\n');
}

/** What went wrong, for people; a defect of the program shows its stack. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RemoteError && error.code === 'error') return error.remoteStack;
  const isExpected = 'code' in error && typeof error.code === 'string';
  return isExpected ? error.message : (error.stack ?? error.message);
}

/** Exits when everything written has been taken over: pipes may lag behind. */
function exit(status: number): void {
  process.stdout.write('', () => process.exit(status));
}

// `npm run train | head`: whoever read the output has gone. The run is recorded and can be resumed.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(141);
    throw error;
  });
}

main(process.argv.slice(2)).then(exit, (error: unknown) => {
  process.stderr.write(`\n${describeError(error)}\n`, () => exit(error instanceof UsageError ? 2 : 1));
});
