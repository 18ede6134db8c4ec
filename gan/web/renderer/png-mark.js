// The mark that a trained model drew a picture, for PNGs that this browser writes. gan/images.py writes the
// same chunks on the server, with the text of gan/provenance.py.

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" ' +
  'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>';
const HEADER = 33; // bytes of a PNG's signature and first chunk, which must stay first
const POLYNOMIAL = 0xedb88320;

/**
 * A PNG with the mark added.
 * @param {Blob} png
 */
export async function marked(png) {
  const chunks = [chunk("tEXt", "Software\0GANarium"), chunk("iTXt", `XML:com.adobe.xmp\0\0\0\0\0${XMP}`)];
  return new Blob([png.slice(0, HEADER), ...chunks, png.slice(HEADER)], { type: "image/png" });
}

/**
 * A chunk of a PNG: length, type, ASCII text and checksum.
 * @param {string} type
 * @param {string} text
 */
function chunk(type, text) {
  const bytes = new TextEncoder().encode(`....${type}${text}....`);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, text.length);
  view.setUint32(bytes.length - 4, crc(bytes.subarray(4, -4)));
  return bytes;
}

/**
 * CRC-32 (ISO 3309), bit by bit. That is fast enough for half a kilobyte.
 * @param {Uint8Array} bytes
 */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
