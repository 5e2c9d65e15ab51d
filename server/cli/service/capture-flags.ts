import { Command, CommanderError, type Option } from 'commander';

/** A flag as it was given on the command line or in an environment variable. */
export interface GivenFlag {
  /** With its dashes. */
  readonly name: string;
  /** Absent: it takes none. */
  readonly value?: string;
}

export interface CapturedFlags {
  /** The values that the command itself would have been given. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly given: readonly GivenFlag[];
}

/** Reads flags as the command would that they are for, without running it. Throws an Error with the command's own words. */
export function captureFlags(name: string, add: (program: Command) => void, args: readonly string[]): CapturedFlags {
  const program = new Command('kubets').exitOverride();
  add(program);
  const command = program.commands.find((one) => one.name() === name);
  if (!command) throw new Error(`there is no command ${name}`);
  const said: string[] = [];
  for (const one of [program, command]) one.exitOverride().configureOutput({ writeErr: (text) => said.push(text), writeOut: () => {} });
  const given: GivenFlag[] = [];
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value: unknown) =>
      given.push({ name: option.long ?? option.name(), ...valueOf(option, value) }),
    );
  let values: Record<string, unknown> = {};
  command.action(() => {
    values = command.opts();
  });
  try {
    program.parse([name, ...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new Error((said[0] ?? error.message).replace(/^error: /, '').trim(), { cause: error });
    throw error;
  }
  for (const option of command.options) {
    const value = option.envVar === undefined ? undefined : process.env[option.envVar];
    if (value !== undefined && command.getOptionValueSource(option.attributeName()) === 'env')
      given.push({ name: option.long ?? option.name(), ...valueOf(option, value) });
  }
  return { values, given };
}

function valueOf(option: Option, value: unknown): { readonly value?: string } {
  return option.required || option.optional ? { value: String(value) } : {};
}
