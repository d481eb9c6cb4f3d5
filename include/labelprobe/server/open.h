// Which server is asked, and how.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace labelprobe::server {

class Answerer;

// Whether the name of a model is the address of a server: it begins with http:// or https://.
bool is_address(std::string_view name);

struct Options {
  std::string address;             // "http://localhost:8000/v1"
  std::string served_model;        // its name there; empty = the only one
  bool asks_chat = false;          // a prompt's text is sent as a message of a chat
  int max_concurrent = 4;          // requests under way at a time
  double requests_per_minute = 0;  // 0 = as many as come
  double timeout_seconds = 120;    // for one answer
  int n_attempts = 6;              // of one request, where trying again may help
  double first_wait_seconds =
      1;  // before the second one; doubled each time, up to 60 times as long
};

// The key that the server is shown: the environment's OPENAI_API_KEY, else that of the file .env in
// the working directory; empty = none. It is part of no message and no log. Throws ConfigError if
// .env cannot be read or the key has characters that no header can have.
std::string find_key();

// Asks the server who it is. Throws ConfigError for an address that is none or a model that the
// server does not have, ModelError if it does not answer as such a server does.
std::unique_ptr<Answerer> open(const Options& options);

}  // namespace labelprobe::server
