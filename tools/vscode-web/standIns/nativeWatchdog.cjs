// In place of @vscode/native-watchdog, which is published without binaries: ends this process when its
// parent is gone, so that no extension host outlives a killed server.
const parentGone = 87; // the exit code of the native module

exports.start = (parentPid) => {
  const watch = () => {
    try {
      process.kill(parentPid, 0);
    } catch {
      process.exit(parentGone);
    }
  };
  setInterval(watch, 1000).unref();
};
exports.exit = (code) => process.exit(code ?? 0);
