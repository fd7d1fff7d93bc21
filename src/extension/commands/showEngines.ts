import * as vscode from 'vscode';
import { registerCommand } from '#extension/registerCommand';
import type { Services } from '#extension/services';
import { startPeerProcess } from '#platform/childProcess';
import { AbortError } from '#protocol/peer';
import type { EngineReport, HostEnd } from '#protocol/workerProtocol';

/** `ARPO: Show Engines`: what loads here and how fast it samples, and why the others do not load. */
export function registerShowEngines(services: Services): vscode.Disposable {
  return registerCommand('arpo.showEngines', services.log, async () => {
    const reports = await probeEngines(services);
    for (const { name, problem, probe } of reports)
      services.log.info(`engine ${name}: ${problem ?? JSON.stringify(probe)}`);
    const items = reports.map(engineItem);
    await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Engines on this machine') });
  });
}

async function probeEngines({ places, log }: Services): Promise<readonly EngineReport[]> {
  const location = vscode.ProgressLocation.Notification;
  const options = { location, title: vscode.l10n.t('ARPO: trying the engines…'), cancellable: true };
  return await vscode.window.withProgress(options, async (_progress, token) => {
    const worker = startPeerProcess<HostEnd>({
      name: 'engine probe',
      entry: `${places.programFolder}/worker.js`,
      handlers: { append: refuse, saveCheckpoint: refuse },
      onOutput: (line) => log.info(line),
    });
    token.onCancellationRequested(() => void worker.dispose());
    try {
      const { programFolder, builtinFolder } = places;
      return await worker.peer.request('engines', { programFolder, builtinFolder });
    } catch (error) {
      throw token.isCancellationRequested ? new AbortError() : error;
    } finally {
      await worker.dispose();
    }
  });
}

/** A probe records nothing. */
async function refuse(): Promise<never> {
  throw new Error('Broken invariant: a probe records nothing.');
}

function engineItem({ name, problem, probe }: EngineReport): vscode.QuickPickItem {
  if (probe === null) {
    const description = vscode.l10n.t('does not load');
    return { label: `$(circle-slash) ${name}`, description, detail: problem ?? '' };
  }
  const { tokensPerSecond, startMs, batch } = probe;
  return {
    label: `$(pass) ${name}`,
    description: vscode.l10n.t('{0} tokens per second', Math.round(tokensPerSecond)),
    detail: vscode.l10n.t(
      'The built-in policy, one process, {0} sequences at once; first token after {1} ms.',
      batch,
      Math.round(startMs),
    ),
  };
}
