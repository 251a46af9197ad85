// The generator: layers over plain arrays.

/** Numbers from base64, of a type of array. */
const numbersOf = (text, type) => new { float32: Float32Array, int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array }[type](bytesOf(text).buffer);

/** The numbers of an array of a layer: float32, or 16-bit integers times a scale. */
function weightsOf({ data, scale }, type) {
  const numbers = numbersOf(data, type);
  return type === "float32" ? numbers : Float32Array.from(numbers).map((value) => value * scale);
}

function linear(input, { weight, bias }) {
  const output = Float32Array.from(bias);
  for (let row = 0, at = 0; row < output.length; row++) {
    let sum = 0;
    for (let column = 0; column < input.length; column++) sum += weight[at++] * input[column];
    output[row] += sum;
  }
  return output;
}

/** (channels in, length) to (channels out, length * stride); weights are (in, out, kernel). */
function transposedConvolution(input, { weight, bias, stride, padding, shape: [inner, outer, kernel] }) {
  const length = input.length / inner;
  const room = Math.max(padding + length * stride, (length - 1) * stride + kernel);
  const total = new Float32Array(outer * room);
  for (let channel = 0; channel < inner; channel++) {
    for (let i = 0; i < length; i++) {
      const value = input[channel * length + i];
      if (value === 0) continue; // half of what comes from a rectifier
      for (let out = 0; out < outer; out++) {
        let to = out * room + i * stride;
        let from = (channel * outer + out) * kernel;
        for (const end = from + kernel; from < end; from++, to++) total[to] += weight[from] * value;
      }
    }
  }
  const output = new Float32Array(outer * length * stride);
  for (let out = 0; out < outer; out++) {
    const [to, from] = [out * length * stride, out * room + padding];
    for (let i = 0; i < length * stride; i++) output[to + i] = total[from + i] + bias[out];
  }
  return output;
}

/** (channels, length), each channel times its weight, plus its bias. */
function scale(input, { weight, bias }) {
  const length = input.length / weight.length;
  return input.map((value, i) => {
    const channel = Math.floor(i / length);
    return value * weight[channel] + bias[channel];
  });
}

/** The nearest number of 16 bits in the format bfloat16, ties to even. */
function roundToBfloat(input) {
  const bits = new Uint32Array(input.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  return input;
}

const KINDS = {
  linear,
  "transposed-convolution": transposedConvolution,
  scale,
  relu: (input) => input.map((value) => (value > 0 ? value : 0)),
  tanh: (input) => input.map(Math.tanh),
  bfloat16: roundToBfloat,
};

/** A function of a latent that gives samples, from the layers of `canarygan_core.Generator`. */
function makeNetwork({ weights, layers }) {
  const ready = layers.map((layer) => ({
    ...layer,
    ...(layer.weight && { weight: weightsOf(layer.weight, weights), shape: layer.weight.shape, bias: weightsOf(layer.bias, weights) }),
  }));
  return (z) => ready.reduce((signal, layer) => KINDS[layer.kind](signal, layer), Float32Array.from(z));
}
