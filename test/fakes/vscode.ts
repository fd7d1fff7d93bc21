/** The parts of the `vscode` module that modules under unit test use. Real behaviour is tested in VS Code. */

export const workspace = { isTrusted: true };

export const env = { language: 'en' };

export const l10n = {
  t: (template: string, ...values: readonly unknown[]): string =>
    template.replaceAll(/\{(\d+)\}/g, (_match, index: string) => String(values[Number(index)])),
};

export const ViewColumn = { Active: -1 };
