#include "labelprobe/tokenizer/tokenizer.h"

#include "labelprobe/core/error.h"

#include "tokenizer/formats/loaders.h"

namespace labelprobe::tokenizer {

TokenIds Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  return encode_with_offsets(text, special).ids;
}

std::unique_ptr<const Tokenizer> load(const std::filesystem::path& model) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) {
    if (fs::exists(model / "tokenizer.json", ignored)) {
      return load_tokenizer_json(model / "tokenizer.json");
    }
    if (fs::exists(model / "tokenizer.model", ignored)) {
      return load_sentencepiece(model / "tokenizer.model");
    }
    // Beside weights that were taken out of a GGUF file.
    if (fs::exists(model / "tokenizer.gguf", ignored)) {
      return load_gguf(model / "tokenizer.gguf");
    }
    throw ModelError(model.string() +
                     ": expected tokenizer.json or tokenizer.model in this folder, found neither");
  }
  if (!fs::exists(model, ignored)) {
    throw ModelError(model.string() +
                     ": expected a tokenizer file or a folder with one, found nothing");
  }
  const std::string extension = model.extension().string();
  if (extension == ".json") {
    return load_tokenizer_json(model);
  }
  if (extension == ".model") {
    return load_sentencepiece(model);
  }
  if (extension == ".gguf") {
    return load_gguf(model);
  }
  throw ModelError(model.string() + ": expected a file named *.json, *.model or *.gguf");
}

}  // namespace labelprobe::tokenizer
