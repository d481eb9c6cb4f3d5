#include "labelprobe/tokenizer/chat_template.h"

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/gguf.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"

namespace labelprobe::tokenizer {

namespace {

constexpr const char* kGgufKey = "tokenizer.chat_template";

// The templates of a list are objects with a name and a template.
std::optional<std::string> find_default(const files::JsonView& list) {
  std::string names;
  for (const files::JsonView& item : list.items()) {
    const std::string& name = item.at("name").string();
    if (name == "default") {
      return item.at("template").string();
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) {
    return std::nullopt;
  }
  list.fail("expected a template named default, found " + names);
}

std::optional<std::string> of_config(const std::filesystem::path& file) {
  const files::JsonView held =
      files::load_json_object(file, ErrorKind::Model).find("chat_template");
  if (held.is_null()) {
    return std::nullopt;
  }
  return held.value().is_array() ? find_default(held) : held.string();
}

std::optional<std::string> of_gguf(const std::filesystem::path& file) {
  const files::GgufFile gguf = files::GgufFile::open(file);
  return gguf.has(kGgufKey) ? std::optional(gguf.string(kGgufKey)) : std::nullopt;
}

std::optional<std::string> of_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto own_file = folder / "chat_template.jinja";
  if (std::filesystem::is_regular_file(own_file, ignored)) {
    return std::string(files::MappedFile(own_file).text());
  }
  const auto config = folder / "tokenizer_config.json";
  return std::filesystem::is_regular_file(config, ignored) ? of_config(config) : std::nullopt;
}

}  // namespace

std::optional<std::string> chat_template(const std::filesystem::path& model) {
  std::error_code ignored;
  auto text = std::filesystem::is_directory(model, ignored) ? of_folder(model)
              : files::is_gguf(model)                       ? of_gguf(model)
                                                            : of_folder(model.parent_path());
  if (text && !is_utf8(*text)) {
    throw ModelError(model.string() + ": chat template: expected UTF-8 text, found other bytes");
  }
  return text;
}

}  // namespace labelprobe::tokenizer
