// Files of sentence vectors, .npy (an input that begins as such) and safetensors, with ids beside.
#include "labelprobe/data/vector_file.h"
#include "labelprobe/files/npy.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void vectors(std::string_view input) {
  if (files::is_npy(input)) {
    const auto file = file_with("a.npy", input);
    keep(files::read_npy(files::MappedFile(file)).bytes.size());
  }
  // Ids come first: the bytes of numbers may be anything.
  const auto end = input.find(kPartEnd);
  const std::string_view ids = input.substr(0, end);
  const auto bytes = end == std::string_view::npos ? input : input.substr(end + 1);
  const char* const name = files::is_npy(bytes) ? "a.npy" : "a.safetensors";
  const auto& folder = folder_with(
      {{name, bytes}, {files::is_npy(bytes) ? "a.npy.ids.txt" : "a.safetensors.ids.txt", ids}});
  keep(static_cast<std::size_t>(data::VectorFile::load(folder / name).n_dims()));
}

}  // namespace labelprobe::fuzz
