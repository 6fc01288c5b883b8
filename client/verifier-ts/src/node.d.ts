// The little of Node that the command line uses.

declare module 'node:fs' {
  export function existsSync(path: string): boolean;
  export function fstatSync(file: number): { readonly size: number };
  export function openSync(path: string, flags: 'r'): number;
  export function readSync(file: number, buffer: Uint8Array): number;
  export function closeSync(file: number): void;
}

declare module 'node:process' {
  const process: {
    readonly argv: readonly string[];
    exitCode: number;
    readonly stdout: { write(text: string): void };
    readonly stderr: { readonly isTTY?: boolean; write(text: string): void };
  };
  export default process;
}

declare module 'node:util' {
  type Option = { type: 'string' | 'boolean' };
  export function parseArgs(config: {
    args: readonly string[];
    options: Record<string, Option>;
    allowPositionals: true;
  }): { values: Record<string, string | boolean | undefined>; positionals: string[] };
}
