// The page of a report as readers have it: in Chromium, from a file. Screenshots are left in test/page/output.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { evaluate, findPairs, writeReport } from '@tlsc/evaluate';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSmallPairs } from '../../packages/evaluate/test/small-pairs.js';
import { exampleModel } from '../fixtures/index.js';

const output = fileURLToPath(new URL('output', import.meta.url));
const executablePath = process.env.TLSC_CHROMIUM ?? '/usr/bin/chromium';
let folder = '';
let address = '';
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-page-'));
  await mkdir(output, { recursive: true });
  await writeSmallPairs(join(folder, 'pairs'), 256, 256);
  const { pairs } = await findPairs(join(folder, 'pairs'));
  const options = { trainSize: 64, baseSizes: [64, 96, 128], patchSizes: [64, 128] };
  const evaluation = await evaluate([exampleModel('unet'), exampleModel('unet_in')], pairs, options);
  address = pathToFileURL(await writeReport(evaluation, join(folder, 'report'), options)).href;
  // No sandbox where the tests run as root, as in containers.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** A page, and what went wrong in it. */
async function open(colorScheme: 'light' | 'dark'): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 } });
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) faults.push(`fetched ${request.url()}`);
  });
  await page.goto(address);
  return { page, faults };
}

describe('the page of a report', () => {
  it.each(['light', 'dark'] as const)('is without errors and accessible, %s', async (scheme) => {
    const { page, faults } = await open(scheme);
    for (const summary of await page.locator('summary').all()) await summary.click();
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await page.addScriptTag({ content: axe });
    const results = (await page.evaluate('axe.run()')) as AxeResults;
    expect(results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    const broken = await page
      .locator('img')
      .evaluateAll(
        (images) => images.filter((image) => (image as HTMLImageElement).naturalWidth === 0).length,
      );
    expect(broken).toBe(0);
    await page.screenshot({ path: join(output, `report-${scheme}.png`), fullPage: true });
    expect(faults).toEqual([]);
    await page.close();
  });

  it('compares images by keyboard and by mouse', async () => {
    const { page } = await open('light');
    const compare = page.locator('[data-compare]').last();
    const slider = compare.locator('input[type=range]');
    const at = () => compare.locator('.compare').evaluate((frame) => frame.style.getPropertyValue('--at'));
    expect(await at()).toBe('50%');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    expect(await at()).toBe('51%');
    await page.keyboard.press('Home');
    expect(await at()).toBe('0%');
    expect(await slider.getAttribute('aria-valuetext')).toContain('local statistics');
    const frame = compare.locator('.compare');
    await frame.scrollIntoViewIfNeeded();
    const box = await frame.boundingBox();
    if (!box) throw new Error('no frame');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2);
    await page.mouse.up();
    expect(await at()).toBe('25%');
    await page.close();
  });

  it('shows the image that is chosen', async () => {
    const { page } = await open('light');
    const compare = page.locator('[data-compare]').last();
    const source = () => compare.locator('.compare img').first().getAttribute('src');
    const before = await source();
    await compare.locator('select').first().selectOption({ label: 'input' });
    const after = await source();
    expect(after).toMatch(/^data:image\/webp;base64,/);
    expect(after).not.toBe(before);
    await page.close();
  });

  it('sorts tables by any column', async () => {
    const { page } = await open('light');
    const table = page.locator('table').first();
    const column = () => table.locator('tbody tr td:nth-child(2)').allTextContents();
    const before = (await column()).map(Number);
    await table.locator('th button').nth(1).click();
    expect((await column()).map(Number)).toEqual(before.toSorted((a, b) => b - a));
    expect(await table.locator('th').nth(1).getAttribute('aria-sort')).toBe('descending');
    await table.locator('th button').nth(1).click();
    expect((await column()).map(Number)).toEqual(before.toSorted((a, b) => a - b));
    await page.close();
  });

  it('can be printed', async () => {
    const { page } = await open('light');
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.controls').first().isVisible()).toBe(false);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
    await page.close();
  });
});
