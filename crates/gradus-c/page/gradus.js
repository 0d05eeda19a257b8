// gradus in a page: the functions of gradus.h, with JavaScript's arrays and errors.

export async function gradus(url) {
  const module = await WebAssembly.compileStreaming(fetch(url));
  // The zip reader could also encrypt, and imports a source of random numbers for it: nobody calls it.
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`${name} is not there`);
    };
  }
  return new Gradus((await WebAssembly.instantiate(module, imports)).exports);
}

class Gradus {
  constructor(exports) {
    this.exports = exports;
  }

  // Loads a model from the bytes of a .keras or .h5 file.
  load(bytes) {
    const start = this.room(bytes.length);
    new Uint8Array(this.exports.memory.buffer, start, bytes.length).set(bytes);
    const address = this.exports.gradus_load_bytes(start, bytes.length);
    this.exports.gradus_deallocate(start, bytes.length);
    if (!address) throw this.error();
    return new Model(this, address);
  }

  room(bytes) {
    const start = this.exports.gradus_allocate(bytes);
    if (!start) throw new Error(`no memory for ${bytes} bytes`);
    return start;
  }

  error() {
    const { memory, gradus_error } = this.exports;
    const bytes = new Uint8Array(memory.buffer, gradus_error());
    return new Error(new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0))));
  }
}

class Model {
  constructor(library, address) {
    this.library = library;
    this.address = address;
    this.inputSize = library.exports.gradus_input_size(address);
    this.outputSize = library.exports.gradus_output_size(address);
  }

  // The outputs of rows of numbers, one row after the other, as they are passed in.
  predict(x) {
    const { exports } = this.library;
    const length = Math.floor(x.length / this.inputSize) * this.outputSize;
    const [xBytes, yBytes] = [4 * x.length, 4 * length];
    const [xStart, yStart] = [this.library.room(xBytes), this.library.room(yBytes)];
    // The memory may have grown: its buffer is asked for each time.
    new Float32Array(exports.memory.buffer, xStart, x.length).set(x);
    const done = exports.gradus_predict(this.address, xStart, x.length, yStart, length);
    const y = new Float32Array(exports.memory.buffer, yStart, length).slice();
    exports.gradus_deallocate(xStart, xBytes);
    exports.gradus_deallocate(yStart, yBytes);
    if (!done) throw this.library.error();
    return y;
  }

  free() {
    this.library.exports.gradus_free(this.address);
  }
}
