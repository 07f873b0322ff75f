//! PNG pictures as arrays: `u8[h, w]` (grey), `u8[h, w, 3]` and `u8[h, w, 4]`; floats are 0..1.

use std::path::Path;

use image::{ColorType, DynamicImage};
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
    let picture = image::open(path).map_err(|error| error.to_string())?;
    let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
    let bytes = channel_bytes(&picture, channels);
    let mut shape = vec![height, width];
    if sizes.len() == 3 {
        shape.push(channels);
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

fn channel_bytes(picture: &DynamicImage, channels: u64) -> Vec<u8> {
    match channels {
        1 => picture.to_luma8().into_raw(),
        4 => picture.to_rgba8().into_raw(),
        _ => picture.to_rgb8().into_raw(),
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
        [height, width] | [height, width, 1] => (height, width, ColorType::L8),
        [height, width, 3] => (height, width, ColorType::Rgb8),
        [height, width, 4] => (height, width, ColorType::Rgba8),
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
    image::save_buffer(path, &bytes.ok_or_else(unfit)?, width, height, color)
        .map_err(|error| error.to_string())
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
        std::fs::remove_file(&path).unwrap();
        assert!(load_picture(&path, &ty).is_err());
    }
}
