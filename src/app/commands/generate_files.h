// The files of `labelprobe generate`: prompts in, answers and logits out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::app {

// One line of the prompts file; exactly one of text and token_ids is set.
struct PromptLine {
  std::string id;
  std::optional<std::string> text;
  std::optional<TokenIds> token_ids;
};

// Reads {"id", "text"} or {"id", "token_ids"}, one object a line; blank lines are skipped. `name`
// stands in messages. Throws DataError with name:line, expected and found; for equal ids too.
std::vector<PromptLine> read_prompt_lines(std::istream& in, const std::string& name);

// One float32 tensor of `n_columns` columns per name, row-major; empty ones are left out.
struct NamedRows {
  std::string name;
  std::vector<float> numbers;
};

// Writes a safetensors file. Throws ConfigError if it cannot be written.
void write_logits(const std::filesystem::path& path,
                  std::span<const NamedRows> rows,
                  std::size_t n_columns);

}  // namespace labelprobe::app
