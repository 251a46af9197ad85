// Sounds as samples, and their spectrograms as pictures.

const WINDOW = 256;
const DEPTH = 55;
const RAMP = [[6, 3, 18], [38, 14, 77], [92, 26, 110], [152, 42, 106], [206, 70, 78], [240, 120, 48], [250, 182, 62], [252, 250, 200]];

/** Bytes from base64. */
function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Samples in -1 to 1 from 8-bit mu-law, whose silence is 128. */
function samplesOf(text) {
  return Float32Array.from(bytesOf(text), (byte) => {
    const level = (byte - 128) / 127;
    return (Math.sign(level) * (Math.pow(256, Math.abs(level)) - 1)) / 255;
  });
}

/** Fourier transform in place, of a power of two of numbers (Cooley and Tukey, 1965). */
function fourier(real, imaginary) {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let span = 2; span <= size; span <<= 1) {
    const angle = (-2 * Math.PI) / span;
    for (let k = 0; k < span / 2; k++) {
      const cosine = Math.cos(angle * k);
      const sine = Math.sin(angle * k);
      for (let low = k; low < size; low += span) {
        const high = low + span / 2;
        const re = real[high] * cosine - imaginary[high] * sine;
        const im = real[high] * sine + imaginary[high] * cosine;
        real[high] = real[low] - re;
        imaginary[high] = imaginary[low] - im;
        real[low] += re;
        imaginary[low] += im;
      }
    }
  }
}

/** How loud the loudest sample of a sound is, in words: dB below full scale. */
function tellPeak(samples) {
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return peak > 0 ? `peak ${signed(20 * Math.log10(peak), 1)} dBFS` : "silence";
}

/** Levels in dB under the loudest cell, frame by frame, from 0 Hz up. */
function spectrogram(samples) {
  const hop = Math.max(8, Math.min(WINDOW / 2, Math.ceil(samples.length / 300)), Math.ceil(samples.length / 1200));
  const frames = Math.max(1, Math.ceil(samples.length / hop));
  const bins = WINDOW / 2;
  const levels = new Float32Array(frames * bins);
  let loudest = 1e-12;
  for (let frame = 0; frame < frames; frame++) {
    const real = new Float64Array(WINDOW);
    const imaginary = new Float64Array(WINDOW);
    const start = frame * hop - WINDOW / 2;
    for (let i = 0; i < WINDOW; i++) {
      real[i] = (samples[start + i] || 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
    }
    fourier(real, imaginary);
    for (let bin = 0; bin < bins; bin++) {
      const power = real[bin + 1] ** 2 + imaginary[bin + 1] ** 2;
      levels[frame * bins + bin] = power;
      loudest = Math.max(loudest, power);
    }
  }
  return { frames, bins, levels: levels.map((power) => 10 * Math.log10(Math.max(power, 1e-20) / loudest)) };
}

/** A colour from dark to bright, for 0 to 1. */
function ramp(share) {
  const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[low].map((part, i) => part + (RAMP[low + 1][i] - part) * (at - low));
}

/** The colours of 256 shades, each as four bytes. */
const COLOURS = Array.from({ length: 256 }, (_, shade) => Uint8ClampedArray.of(...ramp(shade / 255), 255));

/** Fill a canvas with a picture of (width, height) cells, whose shade is 0 to 1 and whose row 0 is at the bottom. */
function paint(canvas, width, height, shade) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      image.data.set(COLOURS[Math.round(255 * Math.min(Math.max(shade(x, height - 1 - y), 0), 1))], at);
    }
  }
  context.putImageData(image, 0, 0);
}

/** A canvas for spectrograms with its scales in kHz and seconds: {canvas, show(samples, rate, name)}; `name` tells whose it is. */
function putSpectrogram(parent, attributes) {
  const frame = put(parent, "div", { class: "scaled" });
  const canvas = put(frame, "canvas", { role: "img", "aria-label": "No sound yet", ...attributes });
  const [top, end] = ["top", "end"].map((name) => put(frame, "span", { class: name, "aria-hidden": true }));
  const show = (samples, rate, name) => {
    [top.textContent, end.textContent] = [`${format(rate / 2000)} kHz`, `${format(samples.length / rate)} s`];
    canvas.setAttribute("aria-label", `Spectrogram ${name}: ${end.textContent}, 0 to ${top.textContent}, ${tellPeak(samples)}; the colours reach ${DEPTH} dB down from its loudest moment`);
    paintSpectrogram(canvas, samples);
  };
  return { canvas, show };
}

function paintSpectrogram(canvas, samples) {
  const { frames, bins, levels } = spectrogram(samples);
  paint(canvas, frames, bins, (x, y) => 1 + levels[x * bins + y] / DEPTH);
}
