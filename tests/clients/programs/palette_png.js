// palette_png.js: makes screenshots small. Chromium decodes a PNG and counts its colours; the most
// frequent 256 kinds stay, the others become the nearest of them (RFC 2083, colour type 3).
'use strict';

const zlib = require('zlib');

// In the browser. pixels → [width, height, palette, base64 of the indices].
async function quantise(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    counts.set(colour, (counts.get(colour) || 0) + 1);
  }
  // Of colours that are alike, the most frequent stands for all.
  const alike = new Map();
  for (const [colour, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    const key = colour & 0xf8f8f8;
    const group = alike.get(key) || [colour, 0];
    group[1] += count;
    alike.set(key, group);
  }
  const palette = [...alike.values()].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([c]) => c);
  const nearest = new Map(palette.map((c, i) => [c, i]));
  const parts = (c) => [c >> 16, (c >> 8) & 255, c & 255];
  const find = (colour) => {
    const [r, g, b] = parts(colour);
    let best = 0;
    let least = Infinity;
    palette.forEach((c, i) => {
      const [x, y, z] = parts(c);
      const distance = (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    nearest.set(colour, best);
    return best;
  };
  const indices = new Uint8Array(data.length / 4);
  for (let i = 0; i < indices.length; i++) {
    const colour = (data[4 * i] << 16) | (data[4 * i + 1] << 8) | data[4 * i + 2];
    indices[i] = nearest.has(colour) ? nearest.get(colour) : find(colour);
  }
  let text = '';
  for (let i = 0; i < indices.length; i += 32768) {
    text += String.fromCharCode(...indices.subarray(i, i + 32768));
  }
  return [image.width, image.height, palette, btoa(text)];
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  let crc = 0xffffffff;
  for (const byte of body) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, check]);
}

// page: any page of a browser. Returns the smaller PNG.
module.exports = async function palettePng(page, png) {
  const [width, height, palette, base64] = await page.evaluate(quantise, png.toString('base64'));
  const indices = Buffer.from(base64, 'base64');
  const rows = [];
  for (let y = 0; y < height; y++) {
    rows.push(Buffer.from([0]), indices.subarray(y * width, (y + 1) * width));
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head),
    chunk('PLTE', colours), chunk('IDAT', zlib.deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk('IEND', Buffer.alloc(0))]);
};
