// labelprobe tokenize: JSON strings in, token ids out, one a line.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

std::string parse_line(const std::string& line, std::size_t line_number) {
  const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_string()) {
    throw DataError("standard input:" + std::to_string(line_number) +
                    ": expected one JSON string, found '" + line.substr(0, 60) + "'");
  }
  return parsed.get<std::string>();
}

// Tokenizers are also found where there is no model: in a file of their own, or a folder with one.
std::filesystem::path locate_tokenizer(const std::string& name_or_path) {
  const std::filesystem::path path(name_or_path);
  std::error_code ignored;
  const bool has_tokenizer = std::filesystem::is_regular_file(path, ignored) ||
                             std::filesystem::exists(path / "tokenizer.json", ignored) ||
                             std::filesystem::exists(path / "tokenizer.model", ignored);
  return has_tokenizer ? path : weights::locate(name_or_path);
}

}  // namespace

CommandBody declare_tokenize(CLI::App& app) {
  struct Arguments {
    std::string model;
    bool no_special = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  app.add_option(
         "--model-name-or-path", arguments->model,
         "Folder of a model or tokenizer, tokenizer.json, tokenizer.model or .gguf file, or "
         "name in the Hugging Face cache")
      ->required();
  app.add_flag("--no-special", arguments->no_special, "Leave out begin-of-text and the like");
  return [arguments] {
    const auto tokenizer = tokenizer::load(locate_tokenizer(arguments->model));
    const auto special =
        arguments->no_special ? tokenizer::SpecialTokens::Omit : tokenizer::SpecialTokens::Add;
    std::size_t line_number = 0;
    for (std::string line; std::getline(std::cin, line);) {
      const std::string text = parse_line(line, ++line_number);
      std::cout << nlohmann::json(tokenizer->encode(text, special)).dump() << '\n';
    }
    std::cout.flush();
    return kSuccess;
  };
}

}  // namespace labelprobe::app
