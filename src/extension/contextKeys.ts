import * as vscode from 'vscode';
import type { ContextKey } from '#extension/contributions';

/** What `when` clauses of package.json ask for. The only place that sets context keys. */
export class ContextKeys {
  readonly #values = new Map<ContextKey, boolean>();

  /** Tells VS Code, if it is new. */
  set(key: ContextKey, value: boolean): void {
    if (this.#values.get(key) === value) return;
    this.#values.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
