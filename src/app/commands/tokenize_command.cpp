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
#include "app/options/run_options.h"

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

struct TokenizeFlags {
  std::string model;
  std::string splitting;
  bool no_special = false;
};

void declare_flags(OptionList& options, TokenizeFlags& flags) {
  options.begin_group("Tokenizer");
  options.add(flags.model,
              {.name = "model_name_or_path",
               .help = "Folder of a model or tokenizer, tokenizer.json, tokenizer.model or .gguf "
                       "file, or name in the Hugging Face cache",
               .is_required = true,
               .shown = Shown::First,
               .value = "MODEL"});
  declare_splitting(options, flags.splitting);
  options.add(flags.no_special, {.name = "no_special",
                                 .help = "Leave out begin-of-text and the like",
                                 .shown = Shown::First});
}

int tokenize(const TokenizeFlags& flags) {
  const auto tokenizer = tokenizer::load(locate_tokenizer(flags.model), flags.splitting);
  const auto special =
      flags.no_special ? tokenizer::SpecialTokens::Omit : tokenizer::SpecialTokens::Add;
  std::size_t line_number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = parse_line(line, ++line_number);
    std::cout << nlohmann::json(tokenizer->encode(text, special)).dump() << '\n';
  }
  std::cout.flush();
  return kSuccess;
}

}  // namespace

Command tokenize_command() {
  return make_command<TokenizeFlags>(
      {CommandGroup::Tools, "tokenize", "Turn JSON strings on standard input into token ids",
       "echo '\"Hello world\"' | labelprobe tokenize --model-name-or-path MODEL"},
      declare_flags, tokenize);
}

}  // namespace labelprobe::app
