//! Which files will a run read, and what identifies their content?

use tercet_engine::{Engine, FileSet, InputFile, Location};
use tercet_types::Result;

use crate::spec::{InputSpec, Sources};

/// All files of all sources and inputs, sorted by path. Paths below the project's folder are relative to
/// it, so that the same project elsewhere reads the same files.
///
/// # Errors
/// Those of [`Engine::input_files`]; `T0909` for a path that is none.
pub fn input_files(engine: &Engine, sources: &Sources) -> Result<Vec<InputFile>> {
    let of_specs =
        sources.specs.iter().filter_map(|spec| spec.path.as_ref().map(|path| spec.input(path)));
    let inputs: Vec<InputSpec> = of_specs.chain(sources.inputs.values().cloned()).collect();
    let mut files = Vec::new();
    for input in &inputs {
        let location = Location::new(&input.path, &sources.base)?;
        let set = FileSet { location, format: input.file_format()? };
        for mut file in engine.input_files(&set)? {
            file.path = relative(sources, file.path);
            files.push(file);
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}

/// The path as the project sees it: relative to its folder when it lies there.
pub(crate) fn relative(sources: &Sources, path: String) -> String {
    let base = format!("{}/", sources.base.display());
    match path.strip_prefix(base.trim_start_matches('/')) {
        Some(relative) if !relative.is_empty() => relative.to_owned(),
        _ => path,
    }
}
