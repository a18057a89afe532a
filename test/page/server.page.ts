// The server's page as visitors have it, in Chromium. Screenshots are left in test/page/output.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convert, writeModel } from '@tlsc/api';
import { type Served, serve } from '@tlsc/server';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleModel, examplePhoto } from '../fixtures/index.js';

const output = fileURLToPath(new URL('output', import.meta.url));
const executablePath = process.env.TLSC_CHROMIUM ?? '/usr/bin/chromium';
let folder = '';
let photo = '';
let served: Served;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tlsc-page-'));
  await mkdir(output, { recursive: true });
  await copyFile(exampleModel('unet_in'), join(folder, 'unet_in.onnx'));
  await writeModel(
    await convert(exampleModel('unet_in'), { trainSize: 64 }),
    join(folder, 'unet_in.local.onnx'),
  );
  photo = join(folder, 'otters.png');
  await sharp(examplePhoto('oakland-zoo-otters_input')).resize(480).png().toFile(photo);
  served = await serve({ models: [folder], port: 0, drain: 1, pool: { concurrency: 1 } });
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await rm(folder, { recursive: true });
});

/** The page, and what went wrong in it. */
async function open(colorScheme: 'light' | 'dark' = 'light', address = served.address) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1100, height: 900 }, hasTouch: true });
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith('blob:')) faults.push(request.url());
  });
  await page.goto(address);
  return { page, faults };
}

async function restored(page: Page): Promise<void> {
  await page.locator('#file').setInputFiles(photo);
  await page.locator('#start').click();
  await page.locator('#status', { hasText: 'Done.' }).waitFor();
}

async function violationsOf(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // Not as an element: the page lets no script in but its own.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

const at = (page: Page) => page.locator('#compare').evaluate((frame) => frame.style.getPropertyValue('--at'));

describe('the page of a server', () => {
  it.each(['light', 'dark'] as const)(
    'restores a photo, accessible and without errors, %s',
    async (scheme) => {
      const { page, faults } = await open(scheme);
      expect(await violationsOf(page)).toEqual([]);
      await restored(page);
      expect(await violationsOf(page)).toEqual([]);
      const sizes = await page
        .locator('#compare img')
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
      expect(sizes).toEqual([480, 480]);
      await page.screenshot({ path: join(output, `server-${scheme}.png`), fullPage: true });
      expect(faults).toEqual([]);
      await page.close();
    },
  );

  it('shows the original beside the converted model, or leaves it out', async () => {
    const { page } = await open();
    await restored(page);
    expect(await page.locator('#model option').allTextContents()).toEqual(['unet_in']);
    expect(await page.locator('#left option').allTextContents()).toEqual([
      'the photo',
      'unet_in',
      'unet_in.original',
    ]);
    expect(await page.locator('#left').inputValue()).toBe('unet_in.original');
    expect(await page.locator('#right').inputValue()).toBe('unet_in');
    await page.locator('#original').uncheck();
    await restored(page);
    expect(await page.locator('#left option').allTextContents()).toEqual(['the photo', 'unet_in']);
    await page.close();
  });

  it('compares by keyboard, mouse and touch', async () => {
    const { page } = await open();
    await restored(page);
    const slider = page.locator('#at');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    expect(await at(page)).toBe('51%');
    expect(await slider.getAttribute('aria-valuetext')).toContain('unet_in.original');
    const frame = page.locator('#compare');
    await frame.scrollIntoViewIfNeeded();
    const box = await frame.boundingBox();
    if (!box) throw new Error('no frame');
    const place = (share: number) => [box.x + box.width * share, box.y + box.height / 2] as const;
    await page.mouse.move(...place(0.5));
    await page.mouse.down();
    await page.mouse.move(...place(0.25));
    await page.mouse.up();
    expect(await at(page)).toBe('25%');
    await page.touchscreen.tap(...place(0.75));
    expect(await at(page)).toBe('75%');
    await page.close();
  });

  it('takes a photo that is dropped, and hands the result out', async () => {
    const { page } = await open();
    const bytes = (await readFile(photo)).toString('base64');
    await page.evaluate((text) => {
      const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], 'my photo.png', {
        type: 'image/png',
      });
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(file);
      document
        .querySelector('#drop')
        ?.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    }, bytes);
    await page.locator('#start').click();
    await page.locator('#status', { hasText: 'Done.' }).waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()]);
    expect(download.suggestedFilename()).toBe('my photo.unet_in.png');
    expect((await sharp(await download.path()).metadata()).width).toBe(480);
    await page.close();
  });

  it('says what went wrong, and can be stopped', async () => {
    const { page } = await open();
    const damaged = join(folder, 'damaged.png');
    await writeFile(damaged, (await readFile(photo)).subarray(0, 5000));
    await page.locator('#file').setInputFiles(damaged);
    await page.locator('#start').click();
    await page.locator('#status', { hasText: 'cut short' }).waitFor();
    await page.locator('#file').setInputFiles(photo);
    await page.locator('#start').click();
    await page.locator('#stop').click();
    await page.locator('#status', { hasText: 'stopped' }).waitFor();
    expect(await page.locator('#start').isEnabled()).toBe(true);
    await page.close();
  });

  it('asks for a token where one is needed', async () => {
    const tokenFile = join(folder, 'tokens.txt');
    await writeFile(tokenFile, 'secret\n');
    const guarded = await serve({ models: [folder], port: 0, drain: 1, tokenFile, pool: { concurrency: 1 } });
    const { page } = await open('light', guarded.address);
    await page.locator('#token').fill('secret');
    await page.locator('#token').press('Tab');
    await page.locator('#status', { hasText: 'Choose a photo.' }).waitFor();
    await restored(page);
    await page.close();
    await guarded.close();
  });
});
