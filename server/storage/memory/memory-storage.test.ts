import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { describeStorage } from '../testing/storage-suite.ts';
import { createMemoryStorage } from './memory-storage.ts';

describeStorage('memory', async () => {
  const clock = createManualClock();
  const storage = createMemoryStorage({ clock });
  return { storage, elapse: (seconds) => clock.advance(seconds * 1000), dispose: () => storage.close() };
});
