import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  commands,
  contextKeys,
  extensionId,
  panels,
  settings,
  viewContainer,
  views,
} from '#extension/contributions';
import { z } from 'zod';

const command = z.strictObject({
  command: z.string(),
  title: z.string(),
  category: z.literal('ARPO'),
  icon: z.string().optional(),
  enablement: z.string().optional(),
});
const configuration = z.object({ properties: z.record(z.string(), z.unknown()) });
const step = z.object({
  description: z.string(),
  media: z.object({ svg: z.string(), altText: z.string() }),
  completionEvents: z.array(z.string()),
});
const manifest = z
  .object({
    activationEvents: z.array(z.string()),
    publisher: z.string(),
    name: z.string(),
    contributes: z.object({
      commands: z.array(command),
      configuration: z.union([configuration, z.array(configuration)]).optional(),
      viewsContainers: z.object({ activitybar: z.array(z.object({ id: z.string() })) }),
      views: z.record(z.string(), z.array(z.object({ id: z.string() }))),
      viewsWelcome: z.array(z.object({ view: z.string() })),
      walkthroughs: z.array(z.object({ steps: z.array(step) })),
      menus: z.record(z.string(), z.array(z.object({ command: z.string() }))).optional(),
    }),
    capabilities: z.object({
      untrustedWorkspaces: z.object({
        supported: z.literal('limited'),
        restrictedConfigurations: z.array(z.string()).optional(),
      }),
    }),
  })
  .parse(readJson('package.json'));
const texts = z.record(z.string(), z.string()).parse(readJson('package.nls.json'));
const { contributes } = manifest;

describe('package.json and contributions.ts name the same', () => {
  test('extension', () => {
    expect(`${manifest.publisher}.${manifest.name}`).toBe(extensionId);
  });

  test('commands', () => {
    expect(contributes.commands.map((entry) => entry.command).toSorted()).toEqual(commands.toSorted());
  });

  test('views, all in one container', () => {
    expect(contributes.viewsContainers.activitybar.map(({ id }) => id)).toEqual([viewContainer]);
    expect(Object.keys(contributes.views)).toEqual([viewContainer]);
    const contributed = contributes.views[viewContainer]?.map(({ id }) => id) ?? [];
    expect(contributed.toSorted()).toEqual(views.toSorted());
  });

  test('panels, each of which is restored after a reload', () => {
    expect(manifest.activationEvents.toSorted()).toEqual(
      panels.map((panel) => `onWebviewPanel:${panel}`).toSorted(),
    );
  });

  test('context keys, each of which is asked for', () => {
    const clauses = [...readFileSync('package.json', 'utf8').matchAll(/"(?:when|enablement)": "([^"]+)"/g)];
    const named = clauses.flatMap(([, clause]) => clause?.match(/(?<!['/\w])arpo\.\w+/g) ?? []);
    expect([...new Set(named)].toSorted()).toEqual([...contextKeys].toSorted());
  });

  test('settings', () => {
    const contributed = [contributes.configuration ?? []]
      .flat()
      .flatMap(({ properties }) => Object.keys(properties));
    expect(contributed.toSorted()).toEqual(settings.toSorted());
  });
});

describe('package.json refers only to what exists', () => {
  const known: readonly string[] = commands;

  test('commands of links, buttons and menus', () => {
    const linked = Object.values(texts).flatMap((text) => [...text.matchAll(/\(command:(arpo\.\w+)/g)]);
    expect(linked.length).toBeGreaterThan(0);
    const inMenus = Object.values(contributes.menus ?? {}).flat();
    const used = [...linked.map(([, id]) => id ?? ''), ...inMenus.map((entry) => entry.command)];
    expect(used.filter((id) => id.startsWith('arpo.') && !known.includes(id))).toEqual([]);
  });

  test('welcomed views', () => {
    const viewIds: readonly string[] = views;
    expect(contributes.viewsWelcome.filter(({ view }) => !viewIds.includes(view))).toEqual([]);
  });

  test('walkthrough: one, of at most five steps, each with a picture and done by the command it offers', () => {
    expect(contributes.walkthroughs).toHaveLength(1);
    const steps = contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
    expect(steps.length).toBeLessThanOrEqual(5);
    for (const { description, media, completionEvents } of steps) {
      expect(existsSync(media.svg), media.svg).toBe(true);
      const text = texts[description.replaceAll('%', '')] ?? '';
      const offered = [...text.matchAll(/\(command:(arpo\.\w+)\)/g)].map(([, id]) => `onCommand:${id}`);
      expect(offered).toEqual(completionEvents);
      expect(completionEvents.length).toBeGreaterThan(0);
    }
  });

  test('settings that an untrusted folder may not set', () => {
    const settingIds: readonly string[] = settings;
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations ?? [];
    expect(restricted.filter((id) => !settingIds.includes(id))).toEqual([]);
  });

  test('texts of package.nls.json, each of which is used', () => {
    const used = [...readFileSync('package.json', 'utf8').matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
    expect(Object.keys(texts).toSorted()).toEqual([...new Set(used)].toSorted());
  });
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
