//! Images in files, and their classes.

use std::path::PathBuf;

pub use files::ImageFiles;

use super::csv::Rows;
use super::file;
use super::memory::size;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::loss::TargetKind;
use crate::shape::{InputKind, Kind};
use decode::{Decoder, Resize};
use list::Listing;

mod decode;
mod files;
mod list;
mod pixels;

/// A folder of PNG and JPEG files with one folder for each class, or with a table of their classes.
///
/// `flowers/daisy/1.jpg` is of the class `daisy`. The classes are numbered in the order of their names, or of their numbers if all
/// names are whole numbers; [`ImageFiles::classes`] returns the names. Names that start with a point are skipped. In the folder of a
/// class, anything other than PNG and JPEG files is an error; in the folder of all classes, other files are skipped.
///
/// The kind sets the number of channels: an `Image<1, H, W>` is gray, an `Image<3, H, W>` has red, green and blue, and an
/// `Image<4, H, W>` an alpha channel too. Files with other channels are converted: gray is `0.299 R + 0.587 G + 0.114 B`, a gray
/// image has three equal channels, and a missing alpha is 255. Without a fourth channel, alpha is ignored. Of 16 bits, the first 8 are
/// used. The orientation that a camera has stored in a JPEG file is applied. Values are from 0 to 1.
///
/// Every file must have `H` rows and `W` columns, unless [`ImageFolder::resize`], [`ImageFolder::resize_shorter`] or
/// [`ImageFolder::crop`] changes its size.
///
/// # Errors
/// [`ImageFolder::read`] names the files that cannot be read, those of another size, and the right kind if the number of classes is
/// not that of the kind: ``the folder has 5 classes, but the kind is `Class<3>`; write `Class<5>` ``.
///
/// # Memory
/// One byte for each value: 12 KiB for each image of `Image<3, 64, 64>`. With [`ImageFolder::on_demand`] none, but every file is
/// decoded each time it is used. While it is decoded, an image may need 256 MiB; larger ones are rejected.
///
/// # Example
/// ```
/// use trainspec::data::{Dataset, ImageFolder};
/// use trainspec::{Class, Image};
///
/// # let root = tempfile::tempdir().unwrap();
/// # let folder = root.path().join("flowers");
/// # for (class, shade) in [("daisy", 250), ("tulip", 100)] {
/// #     std::fs::create_dir_all(folder.join(class)).unwrap();
/// #     let file = std::fs::File::create(folder.join(class).join("1.png")).unwrap();
/// #     png::Encoder::new(file, 40, 30).write_header().unwrap().write_image_data(&[shade; 1200]).unwrap();
/// # }
/// // flowers/daisy/1.png, flowers/daisy/2.jpg, …, flowers/tulip/1.png, …
/// let data = ImageFolder::open(folder).resize(32, 32).read::<Image<3, 32, 32>, Class<2>>()?;
/// assert_eq!(data.classes(), ["daisy", "tulip"]);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder {
    folder: PathBuf,
    table: Option<Table>,
    resize: Resize,
    crop: bool,
    on_demand: bool,
}

/// A table of files and classes.
#[derive(Clone, Debug)]
struct Table {
    path: PathBuf,
    file: String,
    class: String,
}

impl ImageFolder {
    /// Creates a reader for a folder. [`ImageFolder::read`] opens it.
    #[must_use]
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), table: None, resize: Resize::Never, crop: false, on_demand: false }
    }

    /// Reads files and classes from a CSV file with a header: the names of its columns of files, relative to the folder, and of
    /// classes. Other columns are ignored. The folder is not searched.
    ///
    /// ```no_run
    /// use trainspec::prelude::*;
    ///
    /// // file,species
    /// // 0001.jpg,daisy
    /// let data = ImageFolder::open("photos")
    ///     .listed_in("labels.csv", "file", "species")
    ///     .resize(32, 32)
    ///     .read::<Image<3, 32, 32>, Class<5>>()?;
    /// # Ok::<(), trainspec::Error>(())
    /// ```
    #[must_use]
    pub fn listed_in(
        mut self,
        table: impl Into<PathBuf>,
        file: impl Into<String>,
        class: impl Into<String>,
    ) -> Self {
        self.table = Some(Table { path: table.into(), file: file.into(), class: class.into() });
        self
    }

    /// Scales each image to this many rows and columns. The ratio of its sides is not kept. Interpolation is linear; where an image
    /// becomes smaller, it is averaged first.
    #[must_use]
    pub fn resize(mut self, rows: usize, columns: usize) -> Self {
        self.resize = Resize::To(rows, columns);
        self
    }

    /// Scales each image so that its shorter side has this many pixels, and the ratio of its sides is kept. Add [`ImageFolder::crop`].
    #[must_use]
    pub fn resize_shorter(mut self, pixels: usize) -> Self {
        self.resize = Resize::Shorter(pixels);
        self
    }

    /// Uses the center of each image, with the rows and columns of the kind.
    #[must_use]
    pub fn crop(mut self) -> Self {
        self.crop = true;
        self
    }

    /// Decodes a file each time it is used, instead of once: for data that are larger than memory.
    #[must_use]
    pub fn on_demand(mut self) -> Self {
        self.on_demand = true;
        self
    }

    /// Finds the files and decodes them, unless that is done [on demand](ImageFolder::on_demand): then it only checks their sizes.
    ///
    /// # Errors
    /// If the folder or a file cannot be used; see [`ImageFolder`].
    pub fn read<I, T>(self) -> Result<ImageFiles<I, T>>
    where
        I: InputKind + Kind<Element = f32>,
        T: TargetKind + Kind<Element = u32>,
    {
        size(I::NAME, I::SHAPE)?;
        let &[channels @ (1 | 3 | 4), rows, columns] = I::SHAPE.axes() else {
            return Err(Error::Dataset(format!(
                "the kind `{}` has the shape {}; an `ImageFolder` has images of 1, 3 or 4 channels, such as `Image<3, 32, 32>`",
                I::NAME,
                I::SHAPE
            )));
        };
        let (Some(classes), 0) = (T::SHAPE.vocabulary(), T::SHAPE.rank()) else {
            return Err(Error::Dataset(format!(
                "the kind `{}` has the shape {}; an `ImageFolder` has one class for each image, such as `Class<5>`",
                T::NAME,
                T::SHAPE
            )));
        };
        let decoder = Decoder::new(I::NAME, [channels, rows, columns], self.resize, self.crop)?;
        let interrupt = Interrupt::current();
        let Listing { files, names, source } = match &self.table {
            Some(table) => Listing::of_table(&self.folder, table, &interrupt)?,
            None => Listing::of_folders(&self.folder, &interrupt)?,
        };
        if names.len() != classes {
            let what = if self.table.is_some() { "table" } else { "folder" };
            return Err(Error::Data {
                path: source,
                line: None,
                problem: format!(
                    "the {what} has {} classes, but the kind is `{name}<{classes}>`; write `{name}<{}>`, and as many outputs in \
                     the model",
                    names.len(),
                    names.len(),
                    name = T::NAME,
                ),
            });
        }
        ImageFiles::new(files, names, decoder, self.on_demand, &interrupt)
    }
}

#[cfg(test)]
mod tests;
