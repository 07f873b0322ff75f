//! PNG pictures as arrays: `u8[h, w]` (grey), `u8[h, w, 3]` and `u8[h, w, 4]`; floats are 0..1.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, Encoder, Transformations};
use we3_driver::Scalar;
use we3_driver::value::{HostArray, HostType, HostValue, read_bits, write_bits};

/// A picture for a parameter of this type. Grey parameters get luma, colour ones as many channels as
/// the type's last size says (3 if it says nothing).
pub fn load_picture(path: &Path, ty: &HostType) -> Result<HostValue, String> {
    let HostType::Array { elem, sizes } = ty else {
        return Err(format!("expected {ty}; a picture is an array u8[h, w, 3] or u8[h, w]"));
    };
    let HostType::Scalar(scalar) = **elem else {
        return Err(format!("expected {ty}; the elements of a picture are u8 or floats"));
    };
    let channels = match sizes.as_slice() {
        [_, _] => 1,
        [_, _, last] if last == "4" => 4,
        [_, _, last] if last == "1" => 1,
        [_, _, _] => 3,
        _ => return Err(format!("expected {ty}; a picture has rank 2 or 3")),
    };
    let picture = Picture::read(path)?;
    let bytes = picture.bytes_with(channels);
    let mut shape = vec![u64::from(picture.height), u64::from(picture.width)];
    if sizes.len() == 3 {
        shape.push(channels as u64);
    }
    let mut array = HostArray::zeros(HostType::Scalar(scalar), shape)
        .ok_or_else(|| String::from("the picture does not fit in memory"))?;
    let size = array.layout().size;
    for (number, byte) in bytes.iter().enumerate() {
        let bits = from_byte(scalar, *byte)
            .ok_or_else(|| format!("expected {ty}; the elements of a picture are u8 or floats"))?;
        write_bits(scalar, bits, &mut array.bytes_mut()[number * size..]);
    }
    Ok(HostValue::Array(array))
}

/// The pixels of a file, eight bits a channel.
struct Picture {
    height: u32,
    width: u32,
    /// 1: grey, 2: grey and alpha, 3: colour, 4: colour and alpha.
    channels: usize,
    bytes: Vec<u8>,
}

/// Deflate makes at most 1032 bytes of one.
const MAX_RATIO: u64 = 1100;

impl Picture {
    fn read(path: &Path) -> Result<Picture, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let file_len = file.metadata().map_err(|error| error.to_string())?.len();
        let fault = |error: png::DecodingError| format!("this is no PNG that can be read ({error})");
        let mut decoder = Decoder::new(BufReader::new(file));
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(fault)?;
        // A header may claim any size: memory is reserved only for pixels that the file can hold.
        let len = reader.output_buffer_size().filter(|len| *len as u64 <= file_len.saturating_mul(MAX_RATIO));
        let len =
            len.ok_or_else(|| String::from("the file is cut short: its header promises more pixels"))?;
        let mut bytes = vec![0; len];
        let frame = reader.next_frame(&mut bytes).map_err(fault)?;
        Ok(Picture { height: frame.height, width: frame.width, channels: frame.color_type.samples(), bytes })
    }

    /// The pixels with this many channels: grey is the luma of Rec. 709, missing alpha is opaque.
    fn bytes_with(&self, channels: usize) -> Vec<u8> {
        let pixels = self.bytes.chunks_exact(self.channels);
        pixels
            .flat_map(|pixel| {
                converted(pixel).into_iter().skip(if channels == 1 { 0 } else { 1 }).take(channels)
            })
            .collect()
    }
}

/// Luma, red, green, blue and alpha of a pixel of any kind.
fn converted(pixel: &[u8]) -> [u8; 5] {
    let luma = |r: u8, g: u8, b: u8| {
        ((2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000) as u8
    };
    match *pixel {
        [grey] => [grey, grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, grey, alpha],
        [r, g, b] => [luma(r, g, b), r, g, b, 255],
        [r, g, b, alpha, ..] => [luma(r, g, b), r, g, b, alpha],
        [] => [0; 5],
    }
}

fn from_byte(scalar: Scalar, byte: u8) -> Option<u64> {
    if scalar == Scalar::U8 {
        Some(u64::from(byte))
    } else if scalar.is_float() {
        Some(we3_driver::random::float_bits(scalar, f64::from(byte) / 255.0))
    } else {
        None
    }
}

/// Writes an array as a PNG.
pub fn save_picture(path: &Path, value: &HostValue) -> Result<(), String> {
    let unfit = || format!("a picture is u8, bool or float [h, w] or [h, w, 1|3|4]; this is {}", value.ty());
    let HostValue::Array(array) = value else { return Err(unfit()) };
    let HostType::Scalar(scalar) = *array.elem() else { return Err(unfit()) };
    let (height, width, color) = match *array.sizes() {
        [height, width] | [height, width, 1] => (height, width, ColorType::Grayscale),
        [height, width, 3] => (height, width, ColorType::Rgb),
        [height, width, 4] => (height, width, ColorType::Rgba),
        _ => return Err(unfit()),
    };
    let bytes: Option<Vec<u8>> = array
        .bytes()
        .chunks_exact(array.layout().size.max(1))
        .map(|element| to_byte(scalar, read_bits(scalar, element)))
        .collect();
    let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else { return Err(unfit()) };
    if width == 0 || height == 0 {
        return Err(String::from("a picture needs at least one pixel"));
    }
    let bytes = bytes.ok_or_else(unfit)?;
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut encoder = Encoder::new(BufWriter::new(file), width, height);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&bytes)?;
        writer.finish()
    });
    written.map_err(|error| error.to_string())
}

fn to_byte(scalar: Scalar, bits: u64) -> Option<u8> {
    let shade = |unit: f64| (unit.clamp(0.0, 1.0) * 255.0).round() as u8;
    if scalar == Scalar::U8 {
        Some(bits as u8)
    } else if scalar == Scalar::Bool {
        Some(if bits == 0 { 0 } else { 255 })
    } else if scalar == Scalar::F32 {
        Some(shade(f64::from(f32::from_bits(bits as u32))))
    } else if scalar == Scalar::F64 {
        Some(shade(f64::from_bits(bits)))
    } else {
        None
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_a_file() {
        let ty = HostType::array(HostType::Scalar(Scalar::U8), 3);
        let mut array = HostArray::zeros(HostType::Scalar(Scalar::U8), vec![2, 3, 3]).unwrap();
        array.bytes_mut().iter_mut().enumerate().for_each(|(at, byte)| *byte = at as u8 * 13);
        let value = HostValue::Array(array);
        let path = std::env::temp_dir().join(format!("we3-picture-{}.png", std::process::id()));
        save_picture(&path, &value).unwrap();
        assert_eq!(load_picture(&path, &ty).unwrap(), value);
        let grey = load_picture(&path, &HostType::array(HostType::Scalar(Scalar::F32), 2)).unwrap();
        assert_eq!(grey.ty().to_string(), "f32[2, 3]");
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 20, whole.len() - 20] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(load_picture(&path, &ty).is_err(), "{cut} bytes");
        }
        // A width and height of 2³⁰: no memory is asked for.
        let mut boast = whole.clone();
        boast[16] = 0x40;
        boast[20] = 0x40;
        std::fs::write(&path, &boast).unwrap();
        assert!(load_picture(&path, &ty).is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(load_picture(&path, &ty).is_err());
    }

    #[test]
    fn pixels_become_what_the_parameter_asks_for() {
        let of = |channels, bytes: &[u8]| Picture { height: 1, width: 1, channels, bytes: bytes.to_vec() };
        assert_eq!(of(1, &[9]).bytes_with(3), [9, 9, 9]);
        assert_eq!(of(2, &[9, 7]).bytes_with(4), [9, 9, 9, 7]);
        assert_eq!(of(3, &[255, 255, 255]).bytes_with(1), [255]);
        assert_eq!(of(3, &[1, 2, 3]).bytes_with(4), [1, 2, 3, 255]);
        assert_eq!(of(4, &[100, 0, 0, 7]).bytes_with(1), [21]);
        assert_eq!(of(4, &[1, 2, 3, 7]).bytes_with(3), [1, 2, 3]);
    }
}
