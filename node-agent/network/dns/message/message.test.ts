import assert from 'node:assert/strict';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { texts } from '../testing/ask.ts';
import { flag } from './codes.ts';
import { MalformedMessageError, readMessage, readName } from './read-message.ts';
import { type DNSRecord, encodeQuestion, writeMessage } from './write-message.ts';

const label = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_'), minLength: 1, maxLength: 12 });
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const word = fc.integer({ min: 0, max: 0xffff });
const ttl = fc.integer({ min: 0, max: 0x7fffffff });
const record: fc.Arbitrary<DNSRecord> = fc.oneof(
  fc.record({ name, ttl, type: fc.constant('A' as const), address: fc.ipV4() }),
  fc.record({ name, ttl, type: fc.constantFrom('CNAME' as const, 'PTR' as const, 'NS' as const), target: name }),
  fc.record({ name, ttl, type: fc.constant('SRV' as const), priority: word, weight: word, port: word, target: name }),
);

function expected(record: DNSRecord): string {
  const data = record.type === 'A' ? record.address : 'target' in record ? record.target : '';
  return `${record.name} ${record.type} ${record.type === 'SRV' ? `${record.priority} ${record.weight} ${record.port} ` : ''}${data}`.toLowerCase();
}

describe('DNS messages', () => {
  it('are understood by another implementation', () => {
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 8 }), word, (asked, records, id) => {
        const bytes = writeMessage({
          id,
          flags: flag.response,
          code: 0,
          question: encodeQuestion(asked, 1),
          answers: records,
          maxSize: 65_535,
        });
        const read = dnsPacket.decode(bytes);
        assert.equal(read.id, id);
        assert.equal(read.questions?.[0]?.name, asked);
        assert.deepEqual(
          texts(read.answers)
            .map((text) => text.toLowerCase())
            .sort(),
          records.map(expected).sort(),
        );
        const own = readMessage(bytes);
        assert.deepEqual(
          own.records.map((one) => [one.name.toLowerCase(), one.ttl]),
          records.map((one) => [one.name.toLowerCase(), one.ttl]),
        );
      }),
    );
  });

  it('of another implementation are understood', () => {
    const bytes = dnsPacket.encode({
      id: 7,
      type: 'response',
      flags: 0x0183,
      questions: [{ name: 'Example.com', type: 'A' }],
      authorities: [
        {
          name: 'example.com',
          type: 'SOA',
          ttl: 9,
          data: { mname: 'ns', rname: 'root', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 7 },
        },
      ],
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: dnsPacket.DNSSEC_OK }],
    });
    const { id, code, questions, records, edns } = readMessage(bytes);
    assert.deepEqual(
      { id, code, questions, edns },
      { id: 7, code: 3, questions: [{ name: 'Example.com', type: 1, class: 1 }], edns: { udpSize: 4096, version: 0, dnssecOK: true } },
    );
    assert.deepEqual(
      records.map(({ section, type, ttl: seconds }) => [section, type, seconds]),
      [
        ['authority', 6, 9],
        ['additional', 41, 0x8000],
      ],
    );
  });

  it('keep within their size, with whole records, EDNS and the truncation bit', () => {
    const answers = Array.from(
      { length: 40 },
      (_, index): DNSRecord => ({ name: 'a.example', ttl: 1, type: 'A', address: `10.0.0.${index}` }),
    );
    const edns = { udpSize: 1232, version: 0, dnssecOK: false };
    const bytes = writeMessage({
      id: 1,
      flags: flag.response,
      code: 16,
      question: encodeQuestion('a.example', 1),
      answers,
      edns,
      maxSize: 512,
    });
    assert.ok(bytes.length <= 512 && bytes.length > 480, String(bytes.length));
    const read = readMessage(bytes);
    assert.notEqual(read.flags & flag.truncated, 0);
    assert.equal(read.edns?.udpSize, 1232);
    assert.equal(read.records.filter(({ section }) => section === 'answer').length, 29);
    assert.equal(read.records.at(-1)?.ttl, 1 << 24, 'the code’s upper bits');
  });

  it('cut off or bent anywhere are refused without harm', () => {
    const bytes = dnsPacket.encode({
      id: 1,
      type: 'response',
      questions: [{ name: 'a.example', type: 'A' }],
      answers: [{ name: 'a.example', type: 'A', ttl: 1, data: '10.0.0.1' }],
    });
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => readMessage(bytes.subarray(0, length)), MalformedMessageError);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 80 }), (noise) => {
        try {
          readMessage(noise);
        } catch (error) {
          assert.ok(error instanceof MalformedMessageError);
        }
      }),
    );
  });

  it('may not send readers in circles', () => {
    const loop = Uint8Array.from([...new Uint8Array(12), 1, 97, 0xc0, 12]);
    assert.throws(() => readName(loop, 12), MalformedMessageError);
    assert.throws(() => readName(Uint8Array.from([...new Uint8Array(12), 0xc0, 14, 0xc0, 12]), 14), MalformedMessageError);
  });
});
