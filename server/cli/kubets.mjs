#!/usr/bin/env -S node --max-semi-space-size=16
// Compiled code and stripped types are kept between starts; without it a start costs half a second more.
import module from 'node:module';
import path from 'node:path';

module.enableCompileCache(path.join(import.meta.dirname, '../../node_modules/.cache/compile'));
const { main } = await import('./kubets.ts');
await main(process.argv);
