// What a chat template may use. Templates are programs that come with a model's files, so a hostile
// one must neither hang the program nor take its memory or its stack. Published templates stay far
// below: the longest has 18,000 bytes, and a chat of 100 messages takes some 10,000 steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "labelprobe/core/error.h"

namespace labelprobe::prompt::jinja {

inline constexpr std::size_t kMaxTemplateBytes = std::size_t{1} << 20;  // of its own text
inline constexpr int kMaxSyntaxDepth = 200;            // statements and expressions in each other
inline constexpr int kMaxValueDepth = 64;              // lists and mappings in each other
inline constexpr int kMaxCallDepth = 64;               // macros calling macros
inline constexpr std::int64_t kMaxSteps = 10'000'000;  // expressions, rounds of loops, list items
inline constexpr std::int64_t kMaxBytes = std::int64_t{1} << 29;  // of all texts made on the way
inline constexpr std::int64_t kMaxRange = 100'000;  // items of range(), as Jinja's sandbox has it

// The day that strftime_now() tells: that of Llama-3.1's published template, so that equal runs
// have equal prompts whenever they are made.
inline constexpr int kTemplateYear = 2024;
inline constexpr int kTemplateMonth = 7;
inline constexpr int kTemplateDay = 26;

// What goes wrong while a template runs. Program adds the line.
class TemplateError : public ModelError {
 public:
  using ModelError::ModelError;
};

// Counts what one rendering uses. Throws TemplateError, naming the limit, when it is used up.
class Budget {
 public:
  void spend_steps(std::size_t n);
  void spend_bytes(std::size_t n);

 private:
  std::int64_t steps_left_ = kMaxSteps;
  std::int64_t bytes_left_ = kMaxBytes;
};

}  // namespace labelprobe::prompt::jinja
