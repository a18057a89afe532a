import { describe, expect, it } from 'vitest';
import { parseRequest } from './parse.js';

function bodyOf(request: unknown, ...tail: Uint8Array[]): [Uint8Array, number | undefined] {
  const json = Buffer.from(JSON.stringify(request));
  return [Buffer.concat([json, ...tail]), tail.length > 0 ? json.byteLength : undefined];
}

function input(datatype: string, shape: readonly number[], more: object): unknown {
  return { inputs: [{ name: 'x', datatype, shape, ...more }] };
}

function valuesOf(request: unknown, ...tail: Uint8Array[]): unknown {
  const [parsed] = parseRequest(...bodyOf(request, ...tail)).inputs;
  return parsed?.values;
}

describe('an inference request', () => {
  it('has its data flat, or in lists of lists', () => {
    const expected = Int16Array.of(1, 2, 3, 4).buffer;
    expect(valuesOf(input('INT16', [2, 2], { data: [1, 2, 3, 4] }))).toEqual(expected);
    expect(
      valuesOf(
        input('INT16', [2, 2], {
          data: [
            [1, 2],
            [3, 4],
          ],
        }),
      ),
    ).toEqual(expected);
    expect(valuesOf(input('FP32', [], { data: [7] }))).toEqual(Float32Array.of(7).buffer);
    expect(valuesOf(input('FP32', [0, 4], { data: [] }))).toEqual(new ArrayBuffer(0));
  });

  it.each([
    ['BOOL', [true, false], Uint8Array.of(1, 0)],
    ['UINT8', [0, 255], Uint8Array.of(0, 255)],
    ['UINT16', [0, 65535], Uint16Array.of(0, 65535)],
    ['UINT32', [0, 4294967295], Uint32Array.of(0, 4294967295)],
    ['UINT64', [0, 2 ** 53 - 1], BigUint64Array.of(0n, 9007199254740991n)],
    ['INT8', [-128, 127], Int8Array.of(-128, 127)],
    ['INT32', [-2147483648, 1], Int32Array.of(-2147483648, 1)],
    ['INT64', [-5, 2 ** 40], BigInt64Array.of(-5n, 1099511627776n)],
    ['FP32', [0.5, -1e30], Float32Array.of(0.5, -1e30)],
    ['FP64', [0.1, 1e300], Float64Array.of(0.1, 1e300)],
  ])('has %s', (datatype, data, expected) => {
    expect(valuesOf(input(datatype, [2], { data }))).toEqual(expected.buffer);
    const bytes = new Uint8Array(expected.buffer);
    const binary = input(datatype, [2], { parameters: { binary_data_size: bytes.byteLength } });
    expect(valuesOf(binary, bytes)).toEqual(expected.buffer);
  });

  it('has several tensors of bytes, one behind the other, and JSON between them', () => {
    const request = {
      id: '7',
      inputs: [
        { name: 'a', datatype: 'FP16', shape: [1], parameters: { binary_data_size: 2 } },
        { name: 'b', datatype: 'INT8', shape: [1], data: [3] },
        { name: 'c', datatype: 'UINT8', shape: [2], parameters: { binary_data_size: 2 } },
      ],
      outputs: [{ name: 'y', parameters: { binary_data: true } }, { name: 'z' }],
    };
    const parsed = parseRequest(...bodyOf(request, Uint8Array.of(1, 2), Uint8Array.of(3, 4)));
    expect(parsed.inputs.map(({ values }) => [...new Uint8Array(values)])).toEqual([[1, 2], [3], [3, 4]]);
    expect(parsed.outputs).toEqual([
      { name: 'y', isBinary: true },
      { name: 'z', isBinary: false },
    ]);
    expect(parsed.id).toBe('7');
  });

  it('may want all outputs as bytes', () => {
    const request = { inputs: [], parameters: { binary_data_output: true }, outputs: [{ name: 'y' }] };
    expect(parseRequest(...bodyOf(request))).toMatchObject({
      isBinary: true,
      outputs: [{ name: 'y', isBinary: true }],
    });
  });

  it.each([
    ['no JSON', '{', /no JSON/],
    ['a list', '[]', /must be an object/],
    ['no inputs', '{}', /must have inputs/],
    ['an input without a name', '{"inputs":[{}]}', /string name/],
    [
      'an unknown type',
      '{"inputs":[{"name":"x","datatype":"INT7","shape":[1],"data":[1]}]}',
      /INT7 is none of/,
    ],
    [
      'a type that JSON has not',
      '{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]}',
      /send it as bytes/,
    ],
    [
      'a shape of fractions',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[0.5],"data":[1]}]}',
      /whole numbers/,
    ],
    ['too few values', '{"inputs":[{"name":"x","datatype":"INT8","shape":[2],"data":[1]}]}', /not 2, as/],
    [
      'ragged lists',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[2,2],"data":[[1,2],[3]]}]}',
      /not 2x2/,
    ],
    [
      'a shape without end',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[9007199254740991,9],"data":[1]}]}',
      /too many/,
    ],
    ['a fraction', '{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[1.5]}]}', /1.5 is no INT8/],
    [
      'a number that is too large',
      '{"inputs":[{"name":"x","datatype":"UINT8","shape":[1],"data":[256]}]}',
      /256 is no UINT8/,
    ],
    [
      'text for a number',
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["1"]}]}',
      /"1" is no FP32/,
    ],
    ['outputs without a name', '{"inputs":[],"outputs":[{}]}', /string name/],
    ['an id that is no text', '{"inputs":[],"id":7}', /id must be/],
    [
      'bytes that are not there',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"parameters":{"binary_data_size":1}}]}',
      /behind the body/,
    ],
    [
      'bytes of another number',
      '{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"parameters":{"binary_data_size":0}}]}',
      /0 bytes are not 1/,
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseRequest(Buffer.from(text), undefined)).toThrow(message);
  });

  it('is refused with bytes that belong to nothing', () => {
    expect(() => parseRequest(...bodyOf({ inputs: [] }, Uint8Array.of(1)))).toThrow(/belong to none/);
    expect(() => parseRequest(Buffer.from('{}'), 9)).toThrow(/9 bytes, and the body has 2/);
  });
});
