// A regular expression with the meaning the reference tokenizers give it (Oniguruma, Unicode),
// matched by PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizer/text/aligned_text.h"

struct pcre2_real_code_8;

namespace labelprobe::tokenizer {

// The same expression in PCRE2's words. The two disagree on \s and \h, \w, on the letters and
// numbers of newer Unicode versions. Throws ModelError for what cannot be said in PCRE2: set
// operations inside [], and [\W]. Beyond letters, marks and numbers (\p{L}, \p{M}, \p{N}, \p{Nd}) a
// property has the Unicode version of PCRE2.
std::string translate_regex(std::string_view pattern);

class Regex {
 public:
  // Throws ModelError with what PCRE2 says against the pattern.
  explicit Regex(std::string_view pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // The first match at or after `from`. `text` must be UTF-8 and begins and ends what the
  // expression sees. Throws ModelError if matching takes unreasonably many steps.
  bool find(std::string_view text, std::size_t from, Range* match) const;

 private:
  pcre2_real_code_8* code_ = nullptr;
  bool has_jit_ = false;
  std::string pattern_;
};

}  // namespace labelprobe::tokenizer
