// A chat template as Hugging Face transformers runs it: Jinja 3.1 in an unchanging sandbox, with
// trim_blocks, lstrip_blocks and loop controls.
// Goals: what public chat templates use, byte for byte. Non-goals: templates of more than one file,
// call blocks, recursive loops, escaping for HTML, and what core/limits.h forbids; they are refused
// by line. The date that strftime_now() tells is fixed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prompt/jinja/value.h"

namespace labelprobe::prompt::jinja {

using Names = std::vector<std::pair<std::string, Value>>;

class Program {
 public:
  // `place` opens every message: "<place>:<line>: <finding>". Throws ModelError for what is no
  // template, and for statements that are not supported.
  Program(std::string_view text, std::string place);
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  // What the template writes, given these names. May be called from several threads at once. Throws
  // ModelError if the template refuses, does what is not supported, or exceeds a limit.
  Text render(const Names& names) const;

 private:
  struct Tree;
  std::unique_ptr<const Tree> tree_;
  std::string place_;
};

}  // namespace labelprobe::prompt::jinja
