import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { nodeProcessTable } from '#platform/nodeProcessTable';

test('this process is alive, and one that has ended is not', async () => {
  expect(nodeProcessTable.isProcessAlive(process.pid)).toBe(true);
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(nodeProcessTable.isProcessAlive(child.pid ?? -1)).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'a dead process whose parent never asks for its end is dead',
  async () => {
    // The shell becomes `sleep`, which does not wait for the child that it has inherited.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = Number(line.toString().trim());
      await expect.poll(() => nodeProcessTable.isProcessAlive(zombie), { timeout: 10_000 }).toBe(false);
      expect(() => process.kill(zombie, 0)).not.toThrow();
    } finally {
      parent.kill('SIGKILL');
    }
  },
);
