// Regular expressions of task files (PCRE2, on UTF-8): cells that match, parts of cells by the
// names of groups, replacements.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace labelprobe::data {

class CellPattern {
 public:
  //   place  of the task file, "my_task.yaml:5"
  // Throws ConfigError, opening with `place`, for a pattern that is none.
  CellPattern(const std::string& pattern, const std::string& place);

  // The names of its groups, in their order.
  const std::vector<std::string>& groups() const { return groups_; }

  // The texts of the groups where the pattern is found first, empty for those that took no part;
  // unset where it is not found. Throws DataError, opening with `row_place`, where matching takes
  // unreasonably many steps.
  std::optional<std::vector<std::string>> find(std::string_view cell,
                                               const std::string& row_place) const;

  bool is_in(std::string_view cell, const std::string& row_place) const;

  // Every place where the pattern is found becomes `replacement`, in which $1 and ${name} stand for
  // groups and $$ for a dollar. Throws as find(), and ConfigError for a replacement that is none.
  std::string replace(const std::string& cell,
                      const std::string& replacement,
                      const std::string& row_place) const;

 private:
  struct FreeCode {
    void operator()(pcre2_real_code_8* code) const;
  };

  [[noreturn]] void fail(int status, std::size_t n_bytes, const std::string& row_place) const;

  std::string pattern_;
  std::string place_;
  std::unique_ptr<pcre2_real_code_8, FreeCode> code_;
  std::vector<std::string> groups_;
  std::vector<std::size_t> numbers_;  // [groups_.size()]
};

}  // namespace labelprobe::data
