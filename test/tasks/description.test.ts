import { describe, expect, test } from 'vitest';
import { sanitizeDescription } from '../../src/tasks/description.ts';

describe('the description of a task', () => {
  test.each(['<b>a</b>', '<i>a</i>', '<em>a</em>', '<strong>a</strong>', '<a href="https://example.com/a">a</a>', 'a'])(
    'keeps %s',
    (html) => {
      expect(sanitizeDescription(html)).toBe(html);
    },
  );

  test.each([
    ['a script with what is in it', 'a<script>alert(1)</script>', 'a'],
    ['a style with what is in it', 'a<style>*{display:none}</style>', 'a'],
    ['other elements, not their text', '<p><img src=x onerror=alert(1)>a</p>', 'a'],
    ['attributes', '<b onclick="alert(1)" style="color:red" class="c">a</b>', '<b>a</b>'],
    [
      'other attributes of links',
      '<a href="https://e.com/" target="_blank" onclick="x()">a</a>',
      '<a href="https://e.com/">a</a>',
    ],
    ['javascript addresses', '<a href="javascript:alert(1)">a</a>', '<a>a</a>'],
    ['javascript addresses in disguise', '<a href=" JaVa&#x09;script:alert(1)">a</a>', '<a>a</a>'],
    ['data addresses', '<a href="data:text/html,a">a</a>', '<a>a</a>'],
    ['relative addresses', '<a href="/a">a</a>', '<a>a</a>'],
    ['addresses without a scheme', '<a href="//example.com">a</a>', '<a>a</a>'],
    ['links of SVG', '<svg><a xlink:href="javascript:alert(1)">a</a></svg>', '<a>a</a>'],
  ])('loses %s', (_what, html, left) => {
    expect(sanitizeDescription(html)).toBe(left);
  });

  test('escapes what is no markup and closes what is open', () => {
    expect(sanitizeDescription('1 < 2 & <em>3')).toBe('1 &lt; 2 &amp; <em>3</em>');
  });

  test('cannot leave an attribute', () => {
    expect(sanitizeDescription(`<a href='https://e.com/"onclick="alert(1)'>a</a>`)).not.toMatch(/"\s*onclick="/);
  });

  test.each([
    '&lt;script&gt;alert(1)&lt;/script&gt;',
    '<<b>script>alert(1)<</b>/script>',
    '<scr<script></script>ipt>alert(1)',
  ])('is the same when it is sanitised again: %s', (html) => {
    const once = sanitizeDescription(html);
    expect(once).not.toContain('<script');
    expect(sanitizeDescription(once)).toBe(once);
  });
});
