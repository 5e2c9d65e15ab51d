import assert from 'node:assert/strict';
import { columnTexts } from './column-texts.ts';
import type { Texts } from './texts.ts';

const texts: Texts = {
  find: (name) => (name === 'io.k8s.api.core.v1.Toy' ? { fields: new Map([['size', 'How large it is.']]) } : undefined),
};

describe('texts of columns', () => {
  it('those of fields are looked up, others are as they stand', () =>
    assert.deepEqual(columnTexts({ columnTexts: { 'v1/toys': { Size: 'io.k8s.api.core.v1.Toy#size', Sort: 'One of a#b.' } } }, texts), {
      'v1/toys': { Size: 'How large it is.', Sort: 'One of a#b.' },
    }));
  it('a reference that leads nowhere ends the generation', () =>
    assert.throws(
      () => columnTexts({ columnTexts: { 'v1/toys': { Size: 'io.k8s.api.core.v1.Toy#colour' } } }, texts),
      /no text of .*#colour/,
    ));
});
