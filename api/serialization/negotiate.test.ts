import assert from 'node:assert/strict';
import { StatusError } from '../meta/status.ts';
import { isMetaKind, negotiateInput, negotiateOutput, type OutputChoice } from './negotiate.ts';

const table = { group: 'meta.k8s.io', version: 'v1', kind: 'Table' };

describe('negotiateOutput', () => {
  const reads: OutputChoice = { allowsKind: isMetaKind };
  const watches: OutputChoice = { allowsKind: isMetaKind, isWatch: true };
  const discovery: OutputChoice = {
    allowsKind: ({ group, version, kind }) => group === 'apidiscovery.k8s.io' && version === 'v2' && kind === 'APIGroupDiscoveryList',
  };
  const cases: [string | undefined, OutputChoice, string, object][] = [
    [undefined, {}, 'application/json', {}],
    ['', {}, 'application/json', {}],
    ['*/*', {}, 'application/json', {}],
    ['application/*', {}, 'application/json', {}],
    ['text/html, */*;q=0.1', {}, 'application/json', {}],
    ['application/json;pretty=1', {}, 'application/json', { pretty: true }],
    ['application/json; charset=utf-8', {}, 'application/json', {}],
    ['application/yaml', {}, 'application/yaml', {}],
    ['application/json;q=0.5, application/yaml', {}, 'application/yaml', {}],
    ['application/vnd.kubernetes.protobuf,application/json', {}, 'application/vnd.kubernetes.protobuf', {}],
    ['application/vnd.kubernetes.protobuf,application/json', watches, 'application/vnd.kubernetes.protobuf', {}],
    ['application/vnd.kubernetes.protobuf;stream=watch', watches, 'application/vnd.kubernetes.protobuf', { stream: 'watch' }],
    [
      'application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1',
      reads,
      'application/json',
      { as: table },
    ],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', reads, 'application/json', { as: table }],
    ['application/json;as=Table;g=meta.k8s.io;v=v1', reads, 'application/json', { as: table }],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', reads, 'application/json', {}],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', {}, 'application/json', {}],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      reads,
      'application/vnd.kubernetes.protobuf',
      { as: { ...table, kind: 'PartialObjectMetadataList' } },
    ],
    [
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
      discovery,
      'application/json',
      { as: { group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' } },
    ],
    ['application/json;stream=watch', watches, 'application/json', { stream: 'watch' }],
    ['application/yaml;q=0.5, application/json', watches, 'application/json', {}],
    ['application/json;as="Table";v=v1;g=meta.k8s.io', reads, 'application/json', { as: table }],
  ];
  for (const [header, choice, name, rest] of cases) {
    it(`answers ${header} with ${name} ${JSON.stringify(rest)}`, () => {
      const { mediaType, ...others } = negotiateOutput(header, choice);
      assert.deepEqual([mediaType.name, others], [name, { pretty: false, ...rest }]);
    });
  }

  const all = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const streams = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
  const refused: [string, OutputChoice, string][] = [
    ['text/plain', {}, all],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', {}, all],
    ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io', reads, all],
    ['application/yaml', { isWatch: true }, streams],
    ['application/yaml, application/json', { isWatch: true }, streams],
    ['application/json;q=0.5, application/yaml', { isWatch: true }, streams],
    ['application/json;stream=other', {}, all],
  ];
  for (const [header, choice, message] of refused) {
    it(`refuses ${header}`, () =>
      assert.throws(
        () => negotiateOutput(header, choice),
        (error) =>
          error instanceof StatusError && error.code === 406 && error.message === `only the following media types are accepted: ${message}`,
      ));
  }
});

describe('negotiateInput', () => {
  for (const [header, name] of [
    [undefined, 'application/json'],
    ['application/json; charset=utf-8', 'application/json'],
    ['Application/YAML', 'application/yaml'],
    ['application/vnd.kubernetes.protobuf', 'application/vnd.kubernetes.protobuf'],
  ] as const) {
    it(`reads ${header} as ${name}`, () => assert.equal(negotiateInput(header).name, name));
  }
  for (const header of ['application/x-www-form-urlencoded', 'nonsense', 'a/b/c']) {
    it(`refuses ${header}`, () =>
      assert.throws(
        () => negotiateInput(header),
        (error) =>
          error instanceof StatusError &&
          error.code === 415 &&
          error.message ===
            'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      ));
  }
});
