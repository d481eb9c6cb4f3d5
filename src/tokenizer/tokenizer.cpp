#include "labelprobe/tokenizer/tokenizer.h"

#include "labelprobe/core/error.h"
#include "labelprobe/files/gguf.h"

#include "tokenizer/formats/loaders.h"

namespace labelprobe::tokenizer {

TokenIds Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  return encode_with_offsets(text, special).ids;
}

namespace {

namespace fs = std::filesystem;

// The file that holds the tokenizer of `model`.
fs::path file_of(const fs::path& model) {
  std::error_code ignored;
  if (!fs::is_directory(model, ignored)) {
    return model;
  }
  // The last one lies beside weights that were taken out of a GGUF file.
  for (const char* name : {"tokenizer.json", "tokenizer.model", "vocab.txt", "tokenizer.gguf"}) {
    if (fs::exists(model / name, ignored)) {
      return model / name;
    }
  }
  throw ModelError(
      model.string() +
      ": expected tokenizer.json, tokenizer.model or vocab.txt in this folder, found none");
}

}  // namespace

std::unique_ptr<const Tokenizer> load(const fs::path& model, const std::string& splitting) {
  const fs::path file = file_of(model);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    throw ModelError(file.string() +
                     ": expected a tokenizer file or a folder with one, found nothing");
  }
  const std::string extension = file.extension().string();
  if (extension == ".gguf" || files::is_gguf(file)) {
    return load_gguf(file, splitting);
  }
  if (!splitting.empty()) {
    throw ConfigError(file.string() + ": says itself how texts are split; leave '" + splitting +
                      "' out, which is for GGUF files");
  }
  if (extension == ".json") {
    return load_tokenizer_json(file);
  }
  if (file.filename() == "vocab.txt") {
    return load_vocab_txt(file);
  }
  if (extension == ".model") {
    return load_sentencepiece(file);
  }
  throw ModelError(file.string() +
                   ": expected a file named *.json, *.model or vocab.txt, or a GGUF file");
}

}  // namespace labelprobe::tokenizer
