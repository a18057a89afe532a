// The command as a user has it: ./node_modules/.bin/tlsc, in a folder of its own.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePhoto, Tensor } from '@tlsc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carriedModel, exampleModel, examplePhoto } from '../../../test/fixtures/index.js';
import { writeSmallPairs } from '../../evaluate/test/small-pairs.js';
import { makeNode } from '../../ts-api/src/graph/proto.js';
import { buildBytes, floats, integers, valueInfo } from '../../ts-api/test/build-model.js';
import { withExternalWeights } from '../../ts-api/test/external-data.js';
import { command, commandIn, type Start, type Tlsc } from './command.js';

let folder = '';
let start: Start;
let tlsc: Tlsc;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-cli-'));
  ({ start, tlsc } = commandIn(folder));
});
afterAll(() => rm(folder, { recursive: true }));

async function unfinishedFiles(): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'));
}

describe('tlsc', () => {
  it.each(['convert', 'optimize', 'free', 'inspect', 'verify', 'evaluate', 'run', 'serve', 'doctor'])(
    '%s --help shows an example',
    async (name) => {
      const { code, stdout } = await tlsc(name, '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`Example:\n {2}tlsc ${name}\\b`));
    },
  );

  it('says what the exit codes of run mean', async () => {
    const { stdout } = await tlsc('run', '--help');
    expect(stdout).toMatch(
      /^Exit codes: 0 all images were restored or skipped, 1 .*, 2 .*, 130 interrupted\.$/m,
    );
  });

  it('lists the commands and the exit codes', async () => {
    const { code, stdout } = await tlsc('--help');
    expect(code).toBe(0);
    for (const word of [
      'convert',
      'optimize',
      'free',
      'inspect',
      'verify',
      'evaluate',
      'run',
      'doctor',
      'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted',
    ])
      expect(stdout).toContain(word);
  });

  it.each([
    ['no command', [], 'Usage'],
    ['an unknown command', ['improve'], "unknown command 'improve'"],
    ['an unknown option', ['inspect', 'm.onnx', '--fast'], "unknown option '--fast'"],
    ['a missing argument', ['verify', 'm.onnx'], "missing required argument 'converted'"],
    ['a missing option', ['convert', 'm.onnx', '-o', 'o.onnx'], "'--train-size <HxW>' not specified"],
    [
      'a size that is none',
      ['convert', 'm.onnx', '-o', 'o.onnx', '--train-size', '64x'],
      'Write it as HEIGHTxWIDTH',
    ],
    [
      'an opset that is none',
      ['convert', 'm.onnx', '-o', 'o.onnx', '--train-size', '64', '--opset', '17.5'],
      'Write it as a whole number from 12 to 22',
    ],
    [
      'an opset that is too new',
      ['convert', 'm.onnx', '-o', 'o.onnx', '--train-size', '64', '--opset', '23'],
      'Write it as a whole number from 12 to 22',
    ],
    [
      'a thread count that is none',
      ['run', 'm.onnx', 'a.png', '-o', 'b.png', '--threads', 'two'],
      'Write it as a whole number up to 999',
    ],
    [
      'a card for the CPU',
      ['run', 'm.onnx', 'a.png', '-o', 'b.png', '--device', '1'],
      '--device is of use with --provider cuda alone',
    ],
    [
      'a limit of pixels that is none',
      ['run', 'm.onnx', 'a.png', '-o', 'b.png', '--max-pixels', '1e9'],
      'Write it as a whole number from 1 to 1073741824',
    ],
    [
      'an output that is no image',
      ['run', 'm.onnx', 'a.png', '-o', 'b.txt'],
      'b.txt must end in one of .png',
    ],
    [
      'two images of one name',
      ['run', 'm.onnx', 'x/a.png', 'y/a.png', '-o', 'out'],
      'would be the result for x/a.png and for y/a.png',
    ],
    ['one photo twice', ['run', 'm.onnx', 'a.png', './a.png', '-o', 'out'], './a.png is given twice'],
    [
      'several photos to one file',
      ['run', 'm.onnx', 'a.png', 'b.png', '-o', 'c.png'],
      'several images need a folder',
    ],
    [
      'a model that would be overwritten',
      ['convert', 'm.onnx', '-o', './m.onnx', '--train-size', '64'],
      'would overwrite the model',
    ],
    [
      'a size beyond the limit',
      ['convert', 'm.onnx', '-o', 'o.onnx', '--train-size', '99999'],
      'up to 65536',
    ],
    [
      'an image that would be overwritten',
      ['run', 'm.onnx', 'a.png', '-o', './a.png'],
      './a.png, the result for a.png, would overwrite a.png',
    ],
  ])('exits with 2 on %s', async (_, args, message) => {
    const { code, stderr } = await tlsc(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe.skipIf(process.platform === 'win32')('ONNX Runtime’s telemetry', () => {
  it('is off: a run leaves nothing in the home folder', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    const { outcome } = start(['inspect', exampleModel('unet_in')], { ...process.env, HOME: home });
    expect((await outcome).code).toBe(0);
    expect(await readdir(home)).toEqual([]);
  });
});

describe('tlsc convert', () => {
  it('writes the model and prints a table of the sites', async () => {
    const { code, stdout } = await tlsc(
      'convert',
      exampleModel('unet_in'),
      '-o',
      'in.onnx',
      '--train-size',
      '64x64',
      '--base-size',
      '96',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\/enc\.0\/norm\/InstanceNormalization +local-instance-normalization +32x32 +48x48 +-$/m,
    );
    expect(stdout).toMatch(/^original and native +64x64 +\d\.\de-\d+$/m);
    expect(stdout).toContain('Passed.');
    expect(stdout).toContain('5 global statistics made local for training size 64x64 and base size 96x96');
    expect(await readdir(folder)).toContain('in.onnx');
  });

  it('works with weights in external files, and takes them along', async () => {
    const bytes = await readFile(exampleModel('unet_in'));
    const { model, weights } = withExternalWeights(bytes, 'weights.bin');
    for (const name of ['source', 'target']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'source/m.onnx'), model);
    await writeFile(join(folder, 'source/weights.bin'), weights);
    for (const [output, written] of [
      ['source/local.onnx', 'Written to source/local.onnx; it runs'],
      ['target/m.onnx', 'Written to target/m.onnx, with weights in target/m.onnx.data; it runs'],
    ] as const) {
      const converted = await tlsc('convert', 'source/m.onnx', '-o', output, '--train-size', '64');
      expect(converted.stdout).toContain(written);
      const args = ['source/m.onnx', output, '--full-size', '128'];
      expect((await tlsc('verify', ...args)).code).toBe(0);
      expect((await tlsc('inspect', output)).code).toBe(0);
      const run = await tlsc('run', output, examplePhoto('tea-gardens_input'), '-o', `${output}.png`);
      expect(run.code).toBe(0);
    }
    expect(await readdir(join(folder, 'target'))).toEqual(['m.onnx', 'm.onnx.data', 'm.onnx.png']);
  });

  it('warns of sizes that are frozen, on standard error', async () => {
    const initializer = [integers('zero', [0]), integers('half', [32]), integers('rows', [2])];
    const node = [
      makeNode('Slice', ['x', 'zero', 'half', 'rows'], ['h'], { name: 'upper' }),
      makeNode('GlobalAveragePool', ['h'], ['p']),
      makeNode('Mul', ['h', 'p'], ['y']),
    ];
    await writeFile(join(folder, 'frozen.onnx'), buildBytes({ node, initializer }));
    const warning = /^tlsc: warning: upper always takes 32 along axis 2/;
    const converted = await tlsc('convert', 'frozen.onnx', '-o', 'thawed.onnx', '--train-size', '64');
    expect(converted).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) });
    const inspected = await tlsc('inspect', 'frozen.onnx', '--train-size', '64');
    expect(inspected).toMatchObject({ code: 0, stderr: expect.stringMatching(warning) });
    const asJson = await tlsc('inspect', 'frozen.onnx', '--train-size', '64', '--json');
    expect(JSON.parse(asJson.stdout).warnings).toMatchObject([{ node: 'upper' }]);
  });

  it('takes the published approximation on demand', async () => {
    const sizes = ['--train-size', '64', '--base-size', '96'];
    const model = exampleModel('unet_in');
    const { code, stdout } = await tlsc('convert', model, '-o', 'fast.onnx', '--fast', ...sizes);
    expect(code).toBe(0);
    expect(stdout).toMatch(/local-instance-normalization +32x32 +48x48 by up to 2x2 +-$/m);
    expect((await tlsc('inspect', 'fast.onnx')).stdout).toMatch(
      /LocalInstanceNormalizationLeakyRelu +48x48 by up to 2x2$/m,
    );
    expect((await tlsc('verify', model, 'fast.onnx', '--full-size', '128x160')).code).toBe(0);
  });

  it('raises the opset on demand, and does not lower it', async () => {
    const args = ['convert', exampleModel('unet_se'), '-o', 'raised.onnx', '--train-size', '64'];
    const raised = await tlsc(...args, '--opset', '22', '--json');
    expect(raised.code).toBe(0);
    expect(JSON.parse(raised.stdout)).toMatchObject({ opset: 22, sites: Array(5).fill({}) });
    const inspected = await tlsc('inspect', 'raised.onnx', '--json');
    expect(JSON.parse(inspected.stdout)).toMatchObject({ opset: 22 });
    const lowered = await tlsc(...args, '--opset', '12');
    expect(lowered).toMatchObject({ code: 1, stdout: '' });
    expect(lowered.stderr).toMatch(/--opset must be at least \d+, the opset of .*unet_se\.onnx, not 12/);
  });

  it('prints the report as JSON', async () => {
    const { stdout } = await tlsc(
      'convert',
      exampleModel('unet_se'),
      '-o',
      'se.onnx',
      '--train-size',
      '64',
      '--base-size',
      '80x112',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      trainSize: [64, 64],
      baseSize: [80, 112],
      sites: Array(5).fill({ operator: 'LocalAveragePool', validLayers: 4 }),
      verification: { passed: true, selfCheck: { size: [64, 64] } },
      files: ['se.onnx'],
    });
  });

  it('makes only those statistics local that are asked for', async () => {
    const args = ['convert', exampleModel('unet_se'), '-o', 'some.onnx', '--train-size', '64'];
    const choice = ['--include', '/enc.*', '--include', '/dec.*', '--exclude', '/enc.0/*'];
    const { code, stdout } = await tlsc(...args, ...choice);
    expect(code).toBe(0);
    expect(stdout).toContain('/enc.0/se/se.0/GlobalAveragePool: left global: it is excluded by /enc.0/*');
    expect(stdout).toMatch(/^\/enc\.1\/se\/se\.0\/GlobalAveragePool +local-average-pool/m);
    const typo = await tlsc(...args, '--exclude', 'encoder');
    expect(typo.code).toBe(1);
    expect(typo.stderr).toContain('--exclude: encoder is no global statistic of');
  });

  it('tells which layers run at the valid size', async () => {
    const { stdout } = await tlsc(
      'convert',
      exampleModel('unet_se'),
      '-o',
      'valid.onnx',
      '--train-size',
      '64',
    );
    expect(stdout).toMatch(/ window +valid-size layers$/m);
    expect(stdout).toMatch(/^\/enc\.0\/se\/se\.0\/GlobalAveragePool .* 48x48 +4$/m);
    expect((await tlsc('inspect', 'valid.onnx')).stdout).toMatch(/^\/enc\.0\/Mul +ReplicateScale +-$/m);
  });

  it('copies a model that has nothing to convert, and says so', async () => {
    const { code, stdout } = await tlsc(
      'convert',
      exampleModel('unet'),
      '-o',
      'plain.onnx',
      '--train-size',
      '64',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('has no global statistics: nothing to convert');
    expect((await readFile(join(folder, 'plain.onnx'))).equals(await readFile(exampleModel('unet')))).toBe(
      true,
    );
  });

  it.each([
    ['a missing model', ['missing.onnx', '-o', 'o.onnx'], 'ERR_MODEL_NOT_FOUND', 'missing.onnx'],
    [
      'a photo for a model',
      [examplePhoto('tea-gardens_input'), '-o', 'o.onnx'],
      'ERR_INVALID_MODEL',
      'tea-gardens_input.png',
    ],
    [
      'an output folder that is not there',
      [exampleModel('unet_in'), '-o', 'no/where/o.onnx'],
      'ERR_NOT_WRITABLE',
      'no/where',
    ],
  ])('exits with 1 on %s', async (_, args, errorCode, culprit) => {
    const { code, stdout, stderr } = await tlsc('convert', ...args, '--train-size', '64');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(errorCode);
    expect(stderr).toContain(culprit);
    const asJson = await tlsc('convert', ...args, '--train-size', '64', '--json');
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      error: { code: errorCode, message: expect.stringContaining(culprit) },
    });
  });
});

describe('the memory of tlsc run', () => {
  it('is more than the command takes by itself', async () => {
    const photo = examplePhoto('tea-gardens_input');
    const { code, stderr } = await tlsc('run', exampleModel('unet'), photo, '-o', 'o.png', '--memory', '1MB');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tlsc: --memory is less than the \d+ MB that the command takes before/);
  });
});

describe('tlsc optimize', () => {
  const weights = floats('weights', [3, 1, 3, 3]);
  const attributes = { group: 3, pads: [1, 1, 1, 1] };
  const convolution = makeNode('Conv', ['x', 'weights'], ['y'], { attributes });

  it('says what was fused, and how far the result is from the model', async () => {
    await writeFile(join(folder, 'slow.onnx'), buildBytes({ node: [convolution], initializer: [weights] }));
    const { code, stdout } = await tlsc('optimize', 'slow.onnx', '-o', 'fast.onnx', '--size', '24x16');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Fused, to run in one pass: 1 DepthwiseConv\.\nLargest difference from slow\.onnx on noise of 24x16: \d\.\de[-+]\d+\. Written to fast\.onnx; it runs in any ONNX Runtime\.\n$/,
    );
    expect((await tlsc('inspect', 'fast.onnx')).stdout).toContain(
      'Fused, to run in one pass: 1 DepthwiseConv.',
    );
    const again = await tlsc('optimize', 'fast.onnx', '-o', 'faster.onnx');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_ALREADY_CONVERTED') });
  });

  it('copies a model that has nothing to fuse, and overwrites none', async () => {
    await writeFile(join(folder, 'lean.onnx'), buildBytes({ node: [makeNode('Relu', ['x'], ['y'])] }));
    const { code, stdout } = await tlsc('optimize', 'lean.onnx', '-o', 'copied.onnx');
    expect(code).toBe(0);
    expect(stdout).toBe('lean.onnx has nothing that could be fused. copied.onnx is a copy.\n');
    expect(await readFile(join(folder, 'copied.onnx'))).toEqual(await readFile(join(folder, 'lean.onnx')));
    const { code: refused, stderr } = await tlsc('optimize', 'lean.onnx', '-o', 'lean.onnx');
    expect([refused, stderr]).toEqual([2, expect.stringContaining('would overwrite the model')]);
  });

  it('is part of convert, unless that is told not to', async () => {
    const node = [
      makeNode('Conv', ['x', 'weights'], ['c'], { attributes }),
      makeNode('GlobalAveragePool', ['c'], ['m'], { name: 'mean' }),
      makeNode('Mul', ['c', 'm'], ['y']),
    ];
    await writeFile(join(folder, 'pooled.onnx'), buildBytes({ node, initializer: [weights] }));
    const convert = ['convert', 'pooled.onnx', '-o', 'pooled.local.onnx', '--train-size', '16'];
    expect((await tlsc(...convert)).stdout).toContain('Fused, to run in one pass: 1 DepthwiseConv.');
    expect((await tlsc(...convert, '--no-fuse')).stdout).not.toContain('Fused');
  });
});

describe('tlsc free', () => {
  const nodes = [
    makeNode('Reshape', ['x', 'rows'], ['r'], { name: 'lay' }),
    makeNode('Reshape', ['r', 'image'], ['y'], { name: 'raise' }),
  ];
  const build = (size: readonly (number | string)[]) =>
    buildBytes({
      node: nodes,
      initializer: [integers('rows', [1, 3, 1536]), integers('image', [1, 3, 32, 48])],
      input: [valueInfo('x', [1, 3, ...size])],
      output: [valueInfo('y', [1, 3, ...size])],
    });

  it('names what held the size, and writes a model of any size', async () => {
    await writeFile(join(folder, 'fixed.onnx'), build([32, 48]));
    const { code, stdout } = await tlsc('free', 'fixed.onnx', '-o', 'any.onnx');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lay\nraise\nfixed\.onnx was exported for images of 32x48\. 2 nodes freed/m);
    const { code: again, stdout: told } = await tlsc('free', 'any.onnx', '-o', 'copy.onnx', '--json');
    expect(again).toBe(0);
    expect(JSON.parse(told)).toMatchObject({ nodes: [], files: [expect.stringContaining('copy.onnx')] });
  });

  it('does not overwrite the model', async () => {
    await writeFile(join(folder, 'kept.onnx'), build([32, 48]));
    const { code, stderr } = await tlsc('free', 'kept.onnx', '-o', 'kept.onnx');
    expect([code, stderr]).toMatchObject([2, expect.stringContaining('would overwrite the model')]);
  });
});

describe('tlsc inspect and verify', () => {
  it('say what a conversion would do, and afterwards what it did', async () => {
    const before = await tlsc('inspect', carriedModel('unet_se_mean'));
    expect(before.code).toBe(0);
    expect(before.stdout.match(/ReduceMean +\d+x\d+ +LocalAveragePool/g)).toHaveLength(5);
    await tlsc('convert', carriedModel('unet_se_mean'), '-o', 'mean.onnx', '--train-size', '64');
    const after = await tlsc('inspect', 'mean.onnx');
    expect(after.stdout).toContain('for training size 64x64 and base size 96x96, 5 sites');
    expect(JSON.parse((await tlsc('inspect', 'mean.onnx', '--json')).stdout)).toMatchObject({
      statistics: [],
      localOperators: Array(10).fill({}),
    });
  });

  it('ends quietly when nobody reads on', async () => {
    const { child, outcome } = start(['--help']);
    child.stdout.destroy();
    expect(await outcome).toMatchObject({ stderr: '' });
  });

  it('writes a model that cannot be compared with its original, and says so', async () => {
    const args = [exampleModel('unet_in'), '-o', 'unknown.onnx', '--train-size', '3'];
    const { code, stdout } = await tlsc('convert', ...args);
    expect(code).toBe(0);
    expect(stdout).toContain('NOT COMPARED with the original, and so not passed.');
    expect(stdout).toContain('Written to unknown.onnx');
  });

  it('explain what each rule makes of a node', async () => {
    const args = ['inspect', exampleModel('unet_in'), '--explain', '/enc.0/norm/InstanceNormalization'];
    const { code, stdout } = await tlsc(...args, '--train-size', '64');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^local-instance-normalization +converts +its plane is 32x32; it becomes Local/m);
    expect(stdout).toMatch(/^local-average-pool +passes +it looks for means of planes/m);
    const unknown = await tlsc('inspect', exampleModel('unet_in'), '--explain', 'nothing', '--json');
    expect(unknown.code).toBe(1);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'ERR_INVALID_ARGUMENT' } });
  });

  it('refuses a converted model as its own original', async () => {
    await tlsc('convert', exampleModel('unet_in'), '-o', 'own.onnx', '--train-size', '64');
    const { code, stdout, stderr } = await tlsc('verify', 'own.onnx', 'own.onnx');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/own\.onnx has itself been converted: .* \(ERR_ALREADY_CONVERTED\)/);
  });

  /** x + weight · net, and of a statistic in net that comes first, as much as that. */
  const blended = (weights: readonly [number, number]) => {
    const initializer = weights.map((weight, i) => floats(`w${i}`, [1], [weight]));
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p0'], { name: 'first' }),
      makeNode('Mul', ['x', 'p0'], ['n0']),
      makeNode('Mul', ['n0', 'w0'], ['z0']),
      makeNode('Add', ['x', 'z0'], ['y0']),
      makeNode('GlobalAveragePool', ['x'], ['p1'], { name: 'second' }),
      makeNode('Mul', ['x', 'p1'], ['n1']),
      makeNode('Mul', ['n1', 'w1'], ['z1']),
      makeNode('Add', ['y0', 'z1'], ['y']),
    ];
    return buildBytes({ node, initializer });
  };

  it.each([
    { weights: [1, 0], blind: ['second'], said: 'Passed. Of those above nothing is proven.', code: 0 },
    { weights: [0, 0], blind: ['first', 'second'], said: 'NOTHING PROVEN, and so not passed', code: 1 },
  ] as const)(
    'say of what nothing is proven with weights $weights',
    async ({ weights, blind, said, code }) => {
      await writeFile(join(folder, 'blend.onnx'), blended(weights));
      const converted = await tlsc('convert', 'blend.onnx', '-o', 'blended.onnx', '--train-size', '64');
      expect(converted.code).toBe(0);
      expect(converted.stdout).toContain('Written to blended.onnx');
      const verified = await tlsc('verify', 'blend.onnx', 'blended.onnx', '--full-size', '128');
      expect(verified.code).toBe(code);
      for (const { stdout } of [converted, verified]) {
        expect(stdout).toMatch(/^No output shows anything of these, .*:$/m);
        for (const name of blind) expect(stdout).toMatch(new RegExp(`^  ${name}$`, 'm'));
        expect(stdout.match(/^ {2}\w+$/gm)).toHaveLength(blind.length);
        expect(stdout).toContain(said);
      }
    },
  );

  it('tell what was fed besides images', async () => {
    const node = [
      makeNode('GlobalAveragePool', ['x'], ['p']),
      makeNode('Mul', ['x', 'p'], ['n']),
      makeNode('Mul', ['n', 'w'], ['y']),
    ];
    const input = [valueInfo('x', ['n', 3, 'h', 'w']), valueInfo('w', [])];
    await writeFile(join(folder, 'level.onnx'), buildBytes({ node, input }));
    const { code, stdout } = await tlsc('convert', 'level.onnx', '-o', 'l.onnx', '--train-size', '64');
    expect(code).toBe(0);
    expect(stdout).toContain('Input w was fed 0.25 to 0.75.');
  });

  it('pass a conversion and fail a wrong pair', async () => {
    await tlsc('convert', exampleModel('unet_in'), '-o', 'v.onnx', '--train-size', '64');
    const good = await tlsc('verify', exampleModel('unet_in'), 'v.onnx', '--full-size', '128x96');
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/native and portable +128x96 +\d/);
    expect(good.stdout).toContain('Passed.');
    const wrong = await tlsc('verify', exampleModel('unet_se'), 'v.onnx', '--full-size', '128', '--json');
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ passed: false });
  });
});

describe('tlsc run', () => {
  const photo = (name: string) => join(folder, `${name}.png`);
  beforeAll(async () => {
    await copyFile(examplePhoto('tea-gardens_input'), photo('a'));
    await copyFile(examplePhoto('perched-osprey_input'), photo('b'));
    await writeFile(photo('broken'), 'not an image');
  });

  it('restores one photo to a file', async () => {
    const { code, stdout } = await tlsc(
      'run',
      exampleModel('unet'),
      'a.png',
      '-o',
      'one.jpg',
      '--threads',
      '1',
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^a\.png -> one\.jpg \(683x1024, \d+\.\d\d s\)\n$/),
    });
    expect((await readFile(join(folder, 'one.jpg'))).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });

  it('restores with a float16 model', async () => {
    const model = carriedModel('nafnet_fp16');
    const converted = await tlsc('convert', model, '-o', 'half.onnx', '--train-size', '64');
    expect(converted.code).toBe(0);
    const verified = await tlsc('verify', model, 'half.onnx', '--full-size', '96x128');
    expect(verified.stdout).toContain('Passed.');
    const run = await tlsc('run', 'half.onnx', 'a.png', '-o', 'half.png');
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/^a\.png -> half\.png \(683x1024/) });
  });

  it('falls back to the next provider, and says so', async () => {
    // A card that no machine has.
    const asked = [
      'run',
      exampleModel('unet'),
      'a.png',
      '-o',
      'next.png',
      '--provider',
      'cuda',
      '--device',
      '999',
    ];
    const alone = await tlsc(...asked);
    expect(alone).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^tlsc: .*execution provider cuda cannot be had.*ERR_PROVIDER_UNAVAILABLE\)\n$/s,
      ),
    });
    const next = await tlsc(...asked, '--provider', 'cpu');
    expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining('a.png -> next.png') });
    expect(next.stderr).toMatch(/^tlsc: warning: execution provider cuda .*ERR_PROVIDER_UNAVAILABLE\)\n$/s);
    const json = await tlsc(...asked, '--provider', 'cpu', '--json');
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout)).toMatchObject({
      executionProviders: ['cpu'],
      operators: 'native',
      warnings: [{ code: 'ERR_PROVIDER_UNAVAILABLE' }],
      images: [{ output: 'next.png' }],
    });
  });

  it('restores several into a folder that it makes, whatever happens to one of them', async () => {
    const { code, stdout } = await tlsc(
      'run',
      exampleModel('unet'),
      'a.png',
      'broken.png',
      'b.png',
      '-o',
      'new/folder',
      '--json',
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout).images).toMatchObject([
      { input: 'a.png', output: join('new/folder', 'a.png'), height: 683, width: 1024 },
      { input: 'broken.png', error: { code: 'ERR_INVALID_IMAGE' } },
      { input: 'b.png', height: 576, width: 1024 },
    ]);
    expect((await readdir(join(folder, 'new/folder'))).sort()).toEqual(['a.png', 'b.png']);
  });

  it('asks once, before any work, which output is the image', async () => {
    const { code, stdout, stderr } = await tlsc(
      'run',
      carriedModel('hinet_small_one_dim'),
      'a.png',
      'b.png',
      '-o',
      'stages',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('has the outputs stage1, stage2; say with --model-output');
    const chosen = await tlsc(
      'run',
      carriedModel('hinet_small_one_dim'),
      'a.png',
      '-o',
      'stages',
      '--model-output',
      'stage2',
    );
    expect(chosen.code).toBe(0);
  });

  it('does not overwrite a photo through a link', async () => {
    await symlink(photo('a'), join(folder, 'link.png'));
    const { code, stderr } = await tlsc('run', exampleModel('unet'), 'link.png', '-o', 'a.png');
    expect(code).toBe(2);
    expect(stderr).toContain('a.png, the result for link.png, would overwrite link.png');
  });

  it('says that a path cannot be written, whatever is wrong with it', async () => {
    await writeFile(join(folder, 'plain'), '');
    for (const output of ['plain/x.png', `${'n'.repeat(300)}.png`]) {
      const { code, stdout, stderr } = await tlsc('run', exampleModel('unet'), 'a.png', '-o', output);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('ERR_NOT_WRITABLE');
    }
  });

  it('says before any work that the folder cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const { code, stderr } = await tlsc('run', exampleModel('unet'), 'a.png', 'b.png', '-o', 'file/folder');
    expect(code).toBe(1);
    expect(stderr).toContain('cannot make the folder file/folder');
  });

  /** A folder of small images, one of which is broken. */
  async function makeAlbum(name: string, count: number): Promise<void> {
    await mkdir(join(folder, name, 'nested.png'), { recursive: true });
    const tensor = new Tensor('float32', new Float32Array(3 * 16 * 32), [1, 3, 16, 32]);
    const bytes = await encodePhoto({ tensor, bitDepth: 8 }, '.png');
    for (let i = 0; i < count; i++) await writeFile(join(folder, name, `${i}.png`), bytes);
    await writeFile(join(folder, name, '1x.JPG'), 'not an image');
    await writeFile(join(folder, name, 'nested.png', 'inside.png'), bytes);
    for (const other of ['.hidden.png', 'notes.txt', 'drawing.svg'])
      await writeFile(join(folder, name, other), bytes);
  }

  it('takes a folder for the images in it, counts, and says on standard error what failed', async () => {
    await makeAlbum('album', 3);
    const run = await tlsc('run', exampleModel('unet'), 'album', '-o', 'from-album');
    expect(run.code).toBe(1);
    // Of two at once either may be the first.
    expect(
      run.stdout
        .replace(/\d+\.\d+ s/g, 'S')
        .trim()
        .split('\n')
        .sort(),
    ).toEqual([0, 1, 2].map((i) => `album/${i}.png -> from-album/${i}.png (16x32, S)`));
    expect(run.stderr).toBe(
      'album/1x.JPG: FAILED: album/1x.JPG is no image; only PNG, JPEG, WebP, AVIF, TIFF and GIF are read (ERR_INVALID_IMAGE)\n' +
        'tlsc: 3 restored, 1 failed\n',
    );
    expect((await readdir(join(folder, 'from-album'))).sort()).toEqual(['0.png', '1.png', '2.png']);
    await mkdir(join(folder, 'none'));
    const none = await tlsc('run', exampleModel('unet'), 'none', '-o', 'from-none');
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('none has no images in it (.png'),
    });
    const file = await tlsc('run', exampleModel('unet'), 'album', '-o', 'one.png');
    expect(file).toMatchObject({ code: 2, stderr: expect.stringContaining('several images need a folder') });
  });

  it('puts even the only image of a folder into a folder', async () => {
    await mkdir(join(folder, 'single'));
    await copyFile(photo('a'), join(folder, 'single', 'a.png'));
    const { code, stderr } = await tlsc('run', exampleModel('unet'), 'single/', '-o', 'from-single');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await readdir(join(folder, 'from-single'))).toEqual(['a.png']);
  });

  it('leaves alone what is there, on demand', async () => {
    await makeAlbum('half', 3);
    await mkdir(join(folder, 'half-done'));
    await writeFile(join(folder, 'half-done', '1.png'), 'mine');
    await rm(join(folder, 'half', '1x.JPG'));
    const args = ['run', exampleModel('unet'), 'half', '-o', 'half-done', '--skip-existing'];
    const run = await tlsc(...args);
    expect(run).toMatchObject({ code: 0, stderr: 'tlsc: 2 restored, 1 skipped\n' });
    expect(run.stdout).toContain('half/1.png: skipped, half-done/1.png is there\n');
    expect(await readFile(join(folder, 'half-done', '1.png'), 'utf8')).toBe('mine');
    const again = await tlsc(...args, '--json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    const skipped = [0, 1, 2].map((i) => ({
      input: `half/${i}.png`,
      output: `half-done/${i}.png`,
      skipped: true,
    }));
    expect(JSON.parse(again.stdout).images).toEqual(skipped);
    // Without it they are restored anew.
    expect(await tlsc(...args.slice(0, -1))).toMatchObject({ code: 0, stderr: 'tlsc: 3 restored\n' });
  });

  it('keeps to the limit of pixels, and names the option', async () => {
    const args = ['run', exampleModel('unet'), 'a.png', '-o', 'limited.png'];
    const refused = await tlsc(...args, '--max-pixels', String(1024 * 683 - 1));
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `a.png: FAILED: a.png has 1024x683 pixels, 699392 in all; --max-pixels is 699391 (ERR_IMAGE_TOO_LARGE)\n`,
    });
    expect(await tlsc(...args, '--max-pixels', String(1024 * 683))).toMatchObject({ code: 0 });
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'fifo.png'), join(folder, 'fifo.onnx')]);
    const image = await tlsc('run', exampleModel('unet'), 'fifo.png', '-o', 'x.png');
    expect(image).toMatchObject({ code: 1, stderr: expect.stringContaining('it is a pipe, not a file') });
    const model = await tlsc('run', 'fifo.onnx', 'a.png', '-o', 'x.png');
    expect(model).toMatchObject({ code: 1, stderr: expect.stringContaining('it is a pipe, not a file') });
  });

  it('restores everything when nobody reads on, and its exit code is true', async () => {
    await makeAlbum('piped', 5);
    for (const [output, closed] of [
      ['piped-1', ['stdout']],
      ['piped-2', ['stdout', 'stderr']],
    ] as const) {
      const { child, outcome } = start(['run', exampleModel('unet'), 'piped', '-o', output]);
      for (const stream of closed) child[stream].destroy();
      expect(await outcome).toMatchObject({ code: 1, signal: null });
      expect(await readdir(join(folder, output))).toHaveLength(5);
    }
    await rm(join(folder, 'piped', '1x.JPG'));
    const { child, outcome } = start(['run', exampleModel('unet'), 'piped', '-o', 'piped-3']);
    child.stdout.destroy();
    expect(await outcome).toMatchObject({ code: 0, stderr: 'tlsc: 5 restored\n' });
  });

  it.skipIf(process.platform !== 'linux')('says so when what it prints finds no room', async () => {
    const full = openSync('/dev/full', 'w');
    const args = ['run', exampleModel('unet'), 'a.png', '-o', 'unprinted.png'];
    const child = spawn(process.execPath, [command, ...args], {
      cwd: folder,
      stdio: ['ignore', full, 'pipe'],
    });
    let stderr = '';
    child.stderr?.on('data', (data) => (stderr += data));
    const code = await new Promise((resolve) => child.on('close', resolve));
    closeSync(full);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('tlsc: cannot print: ENOSPC'),
    });
    expect(await readdir(folder)).toContain('unprinted.png');
  });

  // Root may write anywhere.
  it.skipIf(process.getuid?.() === 0)('says that a folder is not writable', async () => {
    await mkdir(join(folder, 'locked'));
    await chmod(join(folder, 'locked'), 0o500);
    const { code, stderr } = await tlsc('run', exampleModel('unet'), 'a.png', '-o', 'locked/a.png');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('ERR_NOT_WRITABLE') });
  });

  it.skipIf(process.platform === 'win32')('stops at Ctrl-C and leaves nothing half done', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `photo${i}.png`);
    await Promise.all(many.map((name) => copyFile(photo('a'), join(folder, name))));
    const { child, outcome } = start(['run', exampleModel('unet_in'), ...many, '-o', 'many']);
    const results = join(folder, 'many');
    // The first result shows that the work is under way.
    while (!(await readdir(results).catch(() => [])).some((name) => name.endsWith('.png'))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGINT');
    const { code, signal, stdout, stderr } = await outcome;
    expect({ code, signal, stderr }).toEqual({
      code: 130,
      signal: null,
      stderr: 'tlsc: aborted (ERR_ABORTED)\n',
    });
    const written = (await readdir(results)).length;
    expect(stdout.trim().split('\n')).toHaveLength(written);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(many.length);
    expect(await unfinishedFiles()).toEqual([]);
  });
});

describe('tlsc evaluate', () => {
  const few = ['--train-size', '64', '--patch-size', '64', '--blended-size', '', '--base-size', '1,1.5x'];

  it('prints what methods come to and the verdict, and writes the report', async () => {
    await writeSmallPairs(join(folder, 'photos'), 96, 128);
    const args = ['evaluate', exampleModel('unet_in'), '--pairs', 'photos', ...few, '-o', 'report'];
    const { code, stdout, stderr } = await tlsc(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^model +method +PSNR +SSIM +work$/m);
    for (const method of ['input', 'tiles of 64', 'global', 'local 64', 'local 96'])
      expect(stdout).toMatch(new RegExp(`^(unet_in)? +${method} +\\d+\\.\\d\\d `, 'm'));
    expect(stdout).toMatch(/unet_in.* on 3 photos/);
    expect(stdout).toContain(`The report is ${join('report', 'index.html')}.`);
    expect((await readdir(join(folder, 'report'))).toSorted()).toContain('results.json');
  });

  it('prints JSON, and says what has no other half', async () => {
    await rm(join(folder, 'photos', 'tea-gardens_target.png'));
    const args = ['evaluate', exampleModel('unet'), '--pairs', 'photos', ...few];
    const json = await tlsc(...args, '--json');
    expect(json.code).toBe(0);
    const { evaluation, left } = JSON.parse(json.stdout);
    expect(evaluation.models).toMatchObject([{ name: 'unet', sites: [] }]);
    expect(left).toEqual([join('photos', 'tea-gardens_input.png')]);
    const { stderr } = await tlsc(...args);
    expect(stderr).toContain('tea-gardens_input.png has no other half, and was left out');
  });

  it('chooses the base size of a conversion', async () => {
    const auto = ['--train-size', '64', '--base-size', 'auto', '--pairs', 'photos'];
    const { code, stdout } = await tlsc('convert', exampleModel('unet_in'), '-o', 'auto.onnx', ...auto);
    expect(code).toBe(0);
    const [, size] = /best base size, (\d+)|base size of (\d+)|$/.exec(stdout)?.filter(Boolean) ?? [];
    expect(stdout).toContain(`training size 64x64 and base size ${size}x${size}.`);
    const none = await tlsc('convert', exampleModel('unet'), '-o', 'none.onnx', ...auto);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('nothing to convert');
    const alone = await tlsc('convert', exampleModel('unet_in'), '-o', 'a.onnx', ...auto.slice(0, 4));
    expect(alone.code).toBe(2);
  });

  it('names what it cannot take', async () => {
    const model = exampleModel('unet_in');
    const cases = [
      [1, ['--pairs', 'nowhere', '--train-size', '64'], /nowhere/],
      [
        2,
        ['--pairs', 'photos', '--train-size', '64', '--base-size', '1,ax'],
        /multiples of the training size/,
      ],
      [2, ['--pairs', 'photos', '--train-size', '64', '--patch-size', 'a'], /sides in pixels/],
      [2, ['--pairs', 'photos', '--train-size', '64', '--metric', 'a'], /NAME=FILE/],
      [1, ['--pairs', 'photos', '--train-size', '64', '--metric', 'a=none.onnx'], /none\.onnx/],
      [2, ['--train-size', '64'], /--pairs/],
    ] as const;
    for (const [expected, args, message] of cases) {
      const { code, stderr } = await tlsc('evaluate', model, ...args);
      expect(code).toBe(expected);
      expect(stderr).toMatch(message);
    }
  });
});

describe('tlsc doctor', () => {
  it('says what works', async () => {
    const { code, stdout, stderr } = await tlsc('doctor');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^tlsc \d.*\nONNX Runtime 1\.\d+.*: .*onnxruntime/);
    expect(stdout).toMatch(/^operators for the CPU: \w+, .*tlsc_ops/m);
    expect(stdout).toMatch(/^operators for CUDA: ./m);
    expect(stdout).toMatch(/^cpu: works; local operators run as tlsc's kernels$/m);
    expect(stdout).toMatch(/^cuda: (works|does not work)/m);
  });

  it('fails where the CPU does not work, as JSON too', async () => {
    const { code, stdout } = await start(['doctor', '--json'], {
      ...process.env,
      TLSC_ONNXRUNTIME: '/nowhere',
    }).outcome;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      onnxruntime: { problem: { code: 'ERR_RUNTIME_NOT_FOUND' } },
      executionProviders: { cpu: { works: false, problem: { code: 'ERR_RUNTIME_NOT_FOUND' } } },
    });
  });
});
